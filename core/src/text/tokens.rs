//! Tokens as the o200k models count them.
//!
//! The tables take tens of megabytes and 65-180 ms to build, so they are built at the first count and never at a process's
//! start. An encoder that is given one word of a megabyte (base64, Han without a full stop) takes a time that grows
//! faster than the word, so such words are handed to it in parts.

use std::sync::LazyLock;
use tiktoken_rs::{CoreBPE, Rank, o200k_base_singleton};

/// The longest run without a boundary that the encoder gets in one part, in characters.
const LONGEST_RUN: usize = 200;

/// Once a part has this many bytes it ends at the next line that starts with a letter or a digit. The encoder never
/// joins across that place, so the count stays the same, and a truncation need not encode the whole text.
const PART_BYTES: usize = 4096;

/// One more than the largest token id of o200k.
const TOKEN_IDS: Rank = 200_019;

/// Bytes of each token, by id: summing them gives the places where tokens begin without decoding text.
static TOKEN_BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let bytes_of = |id| encoder().decode_bytes(&[id]).map_or(0, |bytes| bytes.len());
    (0..TOKEN_IDS).map(|id| u8::try_from(bytes_of(id)).unwrap_or(u8::MAX)).collect()
});

fn encoder() -> &'static CoreBPE {
    o200k_base_singleton()
}

/// How many o200k tokens a text has. Words of more than 200 characters are counted in parts of 200.
pub fn count_tokens(text: &str) -> usize {
    parts(text).map(|part| encoder().encode_ordinary(part).len()).sum()
}

/// The longest beginning of a text that has at most `max` tokens and ends between two characters. Only as much of the
/// text is encoded as is kept.
pub fn truncate_tokens(text: &str, max: usize) -> &str {
    let mut cut = nth_token_start(text, max);
    // A cut can divide what the encoder would have joined; giving up one token more settles it.
    let mut keep = max;
    while keep > 0 && count_tokens(&text[..cut]) > max {
        keep -= 1;
        cut = nth_token_start(text, keep);
    }
    &text[..cut]
}

/// Where token number `n` (from 0) begins, moved back to the start of its character; the text's end if it has fewer.
fn nth_token_start(text: &str, n: usize) -> usize {
    let mut left = n;
    let mut at = 0;
    for part in parts(text) {
        for token in encoder().encode_ordinary(part) {
            if left == 0 {
                return text.floor_char_boundary(at);
            }
            left -= 1;
            at += token_bytes(token);
        }
    }
    text.len()
}

fn token_bytes(token: Rank) -> usize {
    TOKEN_BYTES.get(token as usize).copied().map_or(0, usize::from)
}

/// For each byte of a text, and for its end, how many tokens begin before it.
pub(super) fn tokens_before(text: &str) -> Vec<u32> {
    let mut before = Vec::with_capacity(text.len() + 1);
    let mut count = 0;
    before.push(0);
    for part in parts(text) {
        for token in encoder().encode_ordinary(part) {
            count += 1;
            let end = before.len() + token_bytes(token);
            before.resize(end, count);
        }
    }
    before
}

/// The parts of a text that the encoder gets one by one; together they are the text.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, after) = rest.split_at(part_end(rest));
        rest = after;
        Some(part)
    })
}

fn part_end(text: &str) -> usize {
    let mut run = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        let kind = Kind::of(c);
        run = if last == Some(kind) { run + 1 } else { 1 };
        let line_start = at >= PART_BYTES && c.is_alphanumeric() && text.as_bytes()[at - 1] == b'\n';
        if run > LONGEST_RUN || line_start {
            return at;
        }
        last = Some(kind);
    }
    text.len()
}

/// What a character is to the encoder: a change of kind is a place where it always divides.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Mark,
    Word,
}

impl Kind {
    pub(super) fn of(c: char) -> Self {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '\u{4e00}'..='\u{9fff}' => Self::Word,
            c if c.is_whitespace() => Self::Space,
            c if c.is_ascii_punctuation() => Self::Mark,
            '\u{2010}'..='\u{2027}'
            | '\u{3001}'..='\u{3004}'
            | '\u{3008}'..='\u{3020}'
            | '\u{ff01}'..='\u{ff0f}'
            | '\u{ff1a}'..='\u{ff20}' => Self::Mark,
            _ => Self::Word,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn counts_as_the_encoder_does() {
        for text in [
            "",
            "hello world",
            "fn main() {\n    println!(\"hi\");\n}\n\n\n  x",
            "所有权是 Rust 最独特的特性。",
            "a\u{301} 👩‍👩‍👧‍👦 ไทย ελληνικά",
            &"A line of text, with 12345 numbers.\r\n".repeat(500),
            &"第一章：所有权，让 Rust 无需垃圾回收器。\n".repeat(500),
        ] {
            assert_eq!(count_tokens(text), encoder().encode_ordinary(text).len(), "{text:.40}");
        }
    }

    #[test]
    fn a_long_word_is_counted_in_time_that_grows_with_its_length() {
        count_tokens("warm");
        for word in ["权", "a", " ", "=", "\n", "🦀", "\u{301}", "1"] {
            let text = word.repeat(300_000);
            let begun = Instant::now();
            let count = count_tokens(&text);
            assert!(count > 0 && count <= text.len());
            assert!(begun.elapsed() < Duration::from_secs(5), "{word:?}: {:?}", begun.elapsed());
        }
    }

    #[test]
    fn truncation_is_the_longest_beginning_that_fits() {
        for text in ["The quick brown fox jumps over the lazy dog.", "敏捷的棕色狐狸跳过了懒狗龘龘", "👩‍👩‍👧‍👦👩‍👩‍👧‍👦"]
        {
            let all = count_tokens(text);
            assert_eq!(truncate_tokens(text, all), text);
            assert_eq!(truncate_tokens(text, usize::MAX), text);
            assert_eq!(truncate_tokens(text, 0), "");
            for max in 1..all {
                let cut = truncate_tokens(text, max);
                assert!(text.starts_with(cut) && cut.len() < text.len());
                assert!(count_tokens(cut) <= max, "{cut:?} has more than {max}");
                assert!(count_tokens(cut) + 4 > max, "{cut:?} could be longer: {max}");
            }
        }
    }

    #[test]
    fn token_places_agree_with_the_count() {
        let text = "# 标题\n\nSome `code` here. 龘龘\n".repeat(300);
        let before = tokens_before(&text);
        assert_eq!(before.len(), text.len() + 1);
        assert_eq!(*before.last().unwrap() as usize, count_tokens(&text));
        assert!(before.is_sorted());
    }
}
