//! The words of a passage as numbers: each by its hash, with how often it occurs.
//!
//! The hash is 64-bit FNV-1a over UTF-8 (offset basis `0xcbf29ce484222325`, prime `0x100000001b3`). Files hold it: it
//! must never change. Among a million words the odds that any two share a number are about 1 in 40 million.

/// A word and how often a passage has it, 1 to 63; more often counts no more.
pub(super) type Term = (u64, u8);

/// The most that is counted of one word in one passage.
pub(super) const MOST: u8 = 63;
/// Bytes of a term in the file.
const TERM_BYTES: usize = 9;

pub(super) fn hash(word: &str) -> u64 {
    word.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The words of a text that has a space between any two, each once.
pub(super) fn count(keywords: &str) -> Vec<Term> {
    let mut hashes: Vec<u64> = keywords.split_whitespace().map(hash).collect();
    hashes.sort_unstable();
    hashes.chunk_by(|a, b| a == b).map(|same| (same[0], same.len().min(usize::from(MOST)) as u8)).collect()
}

pub(super) fn to_blob(terms: &[Term]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(terms.len() * TERM_BYTES);
    for (hash, times) in terms {
        blob.extend_from_slice(&hash.to_le_bytes());
        blob.push(*times);
    }
    blob
}

/// Reads what `to_blob` wrote into `terms`.
pub(super) fn from_blob(blob: &[u8], terms: &mut Vec<Term>) {
    terms.clear();
    let (parts, _) = blob.as_chunks::<TERM_BYTES>();
    terms.extend(parts.iter().map(|[hash @ .., times]| (u64::from_le_bytes(*hash), *times)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_and_read_back() {
        let terms = count("所 所有 有 所 rust");
        assert_eq!(terms.len(), 4);
        assert!(terms.contains(&(hash("所"), 2)) && terms.contains(&(hash("rust"), 1)));
        let mut read = vec![(1, 1)];
        from_blob(&to_blob(&terms), &mut read);
        assert_eq!(read, terms);
        assert_eq!(count(&"x ".repeat(1_000)), [(hash("x"), MOST)]);
        assert!(count(" ").is_empty());
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // Test vectors of the FNV reference.
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
