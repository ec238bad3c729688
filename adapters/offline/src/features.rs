//! What the offline embedder counts: words and parts of words, hashed into a fixed number of dimensions
//! (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009).
//!
//! The hash is 64-bit FNV-1a over the feature's UTF-8 bytes (offset basis `0xcbf29ce484222325`, prime
//! `0x100000001b3`), followed by the finaliser of `MurmurHash3` (`x ^= x >> 33; x *= 0xff51afd7ed558ccd; x ^= x >> 33;
//! x *= 0xc4ceb9fe1a85ec53; x ^= x >> 33`) because the last byte of FNV-1a hardly reaches the upper bits. The
//! dimension is the hash modulo the number of dimensions, the sign its highest bit. Stored vectors depend on it: it
//! must never change under the same model name.

use crate::{
    language::is_han,
    words::{is_function_character, is_stop_bigram, is_stop_word, stem},
};

/// A feature by its hash, and what one occurrence weighs.
pub(crate) type Feature = (u64, f32);

/// A Latin word that means something.
const WORD: f32 = 1.0;
/// A part of a word: related words share some.
const PART: f32 = 0.15;
/// Two Latin words in a row: terms are often made of two.
const PAIR: f32 = 0.3;
/// How long parts of words are, in characters.
const PART_LENGTH: usize = 4;
/// Two Han characters: about a word.
const BIGRAM: f32 = 1.0;
/// Two Han characters of which one mostly serves grammar.
const MIXED_BIGRAM: f32 = 0.3;
/// One Han character: many words share it.
const UNIGRAM: f32 = 0.3;

pub(crate) fn hash(kind: u8, text: &str) -> u64 {
    let fnv = std::iter::once(kind).chain(text.bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

/// The features of a text's keywords, in their order.
pub(crate) fn features(words: &[String]) -> Vec<Feature> {
    let mut features = Vec::with_capacity(words.len() * 4);
    for word in words {
        add_word(word, &mut features);
    }
    let is_latin = |word: &String| word.starts_with(|first: char| !is_han(first));
    for pair in words.windows(2) {
        if pair.iter().all(is_latin) && !pair.iter().all(|word| is_stop_word(word)) {
            features.push((hash(b'2', &format!("{} {}", pair[0], pair[1])), PAIR));
        }
    }
    features
}

fn add_word(word: &str, features: &mut Vec<Feature>) {
    match word.chars().next() {
        None => {}
        Some(first) if is_han(first) => add_han(word, features),
        Some(_) if is_stop_word(word) => {}
        Some(_) => add_latin(word, features),
    }
}

fn add_han(word: &str, features: &mut Vec<Feature>) {
    let grammar = word.chars().filter(|c| is_function_character(*c)).count();
    let weight = match (word.chars().count(), grammar) {
        (1, 0) => UNIGRAM,
        (1, _) => return,
        (2, _) if is_stop_bigram(word) => return,
        (_, 0) => BIGRAM,
        _ => MIXED_BIGRAM,
    };
    features.push((hash(b'h', word), weight));
}

fn add_latin(word: &str, features: &mut Vec<Feature>) {
    features.push((hash(b'w', stem(word)), WORD));
    let edges: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
    for part in edges.windows(PART_LENGTH + 1).filter(|_| edges.len() > PART_LENGTH + 1) {
        features.push((hash(b'p', &word[part[0]..part[PART_LENGTH]]), PART));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_what_it_was() {
        // Stored vectors depend on it.
        assert_eq!(hash(b'w', "rust"), 0xda88_f084_95c9_0753);
        assert_eq!(hash(b'h', "所有"), 0x0f36_b695_ea00_42fa);
    }

    #[test]
    fn related_words_share_features() {
        let of = |word| {
            features(&[str::to_owned(word)])
                .into_iter()
                .map(|(hash, _)| hash)
                .collect::<std::collections::HashSet<_>>()
        };
        assert!(of("ownership").intersection(&of("owner")).count() >= 2);
        assert_eq!(of("ownership").intersection(&of("thread")).count(), 0);
        assert!(of("的").is_empty() && of("the").is_empty());
        assert_eq!(of("类型").len(), 1);
    }
}
