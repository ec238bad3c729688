//! One form for each letter, however it is written.

use std::{borrow::Cow, iter};
use unicode_normalization::{IsNormalized, UnicodeNormalization, char::decompose_canonical, is_nfkc_quick};

/// The text with its letters composed and without their compatibility forms (NFKC, UAX #15): hangul and kana that come in
/// parts become whole, half-width kana full-width, ligatures letters. Most texts have none of these, and cost one look at
/// each character. What is no letter becomes a gap: `Rust™` is not `RustTM`.
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_written_otherwise) {
        return Cow::Borrowed(text);
    }
    let letters = text.chars().map(|c| if is_symbol(c) { ' ' } else { c });
    Cow::Owned(letters.nfkc().collect())
}

/// Whether composing may change it. Symbols are not asked about, and full-width ASCII is folded for itself, because every
/// Chinese text has some.
fn is_written_otherwise(c: char) -> bool {
    let is_usual = matches!(c,
        '\0'..='\u{2ff}' | '\u{2000}'..='\u{2bff}' | '\u{3000}'..='\u{3098}' | '\u{309b}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff5e}');
    // The quick check takes an accent alone to be composed.
    !is_usual && (matches!(c, '\u{300}'..='\u{36f}') || is_nfkc_quick(iter::once(c)) != IsNormalized::Yes)
}

/// Punctuation, signs, arrows and the like. The units of U+3300 to U+33FF are letters in a square.
fn is_symbol(c: char) -> bool {
    matches!(c, '\u{2000}'..='\u{2bff}') && !c.is_alphanumeric()
}

/// A letter without its accent, and full-width ASCII (`Ａ`, `１`, `：`) as ASCII.
pub(super) fn folded(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        // Latin, Greek and Cyrillic.
        '\u{c0}'..='\u{52f}' | '\u{1e00}'..='\u{1fff}' => {
            let mut base = None;
            decompose_canonical(c, |part| base = base.or(Some(part)));
            base.unwrap_or(c)
        }
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_most_texts_have_is_left_alone() {
        for text in
            ["", "Plain “words” — dashed… Rust™", "所有权，借用；ＡＢＣ「引号」", "ひらがな カタカナ 한국어"]
        {
            assert!(matches!(composed(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn letters_lose_their_accents_and_no_others() {
        let pairs = [
            ('é', 'e'),
            ('Ä', 'A'),
            ('ё', 'е'),
            ('ό', 'ο'),
            ('ữ', 'u'),
            ('ø', 'ø'),
            ('が', 'が'),
            ('７', '7'),
        ];
        for (c, base) in pairs {
            assert_eq!(folded(c), base);
        }
    }
}
