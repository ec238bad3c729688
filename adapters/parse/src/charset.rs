//! Bytes to text: which character set a file is in.
//!
//! In this order: what the caller insists on; a byte order mark; UTF-16 that shows by its zero bytes; strict UTF-8; what
//! the file says of itself (HTML); detection by letter frequencies without a hint of a country, which a file has none
//! of. Text comes out as it stands, without the mark: no other character is added, dropped or changed, but what cannot
//! be read becomes U+FFFD as long as it is rare.

use crate::{ParseError, frequent::is_plain_chinese};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};

/// How much of a file is looked at to tell its character set, from its first byte that is not ASCII, in bytes.
const SAMPLE_BYTES: usize = 1 << 20;

/// A text is in its character set while at most one character and one in this many more cannot be read.
const CHARACTERS_PER_DAMAGED: usize = 200;

/// A text is binary when more than one in this many characters is a control character.
const CHARACTERS_PER_CONTROL: usize = 50;

/// Text, and what it was read with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text.
    pub text: String,
    /// The character set's name as the WHATWG writes it: "UTF-8", "gb18030".
    pub charset: &'static str,
}

/// Decodes a file. `forced` is the label that the caller insists on; `hint` what the file says of itself, which is
/// believed only if it fits.
pub fn decode(
    bytes: &[u8],
    forced: Option<&str>,
    hint: Option<&'static Encoding>,
) -> Result<Decoded, ParseError> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Err(if bytes.is_empty() {
            ParseError::Empty
        } else {
            ParseError::Binary("it consists of zero bytes".to_owned())
        });
    }
    let reading = match forced.map(str::trim).filter(|label| !label.is_empty()) {
        Some(label) => forced_reading(bytes, label)?,
        None => detected_reading(bytes, hint)?,
    };
    refuse_binary(&reading.text)?;
    Ok(Decoded { text: reading.text, charset: reading.encoding.name() })
}

struct Reading {
    text: String,
    encoding: &'static Encoding,
    /// Characters that could not be read.
    damaged: usize,
}

impl Reading {
    fn new(bytes: &[u8], encoding: &'static Encoding) -> Self {
        let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
        let text = text.into_owned();
        let damaged = if had_errors { text.matches('\u{fffd}').count() } else { 0 };
        Self { text, encoding, damaged }
    }

    fn fits(&self) -> bool {
        self.damaged <= 1 + self.text.chars().count() / CHARACTERS_PER_DAMAGED
    }
}

fn forced_reading(bytes: &[u8], label: &str) -> Result<Reading, ParseError> {
    let unknown = || ParseError::UnknownCharset(label.to_owned());
    let mut encoding = Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(unknown)?;
    let mut rest = bytes;
    if let Some((found, mark)) = Encoding::for_bom(bytes) {
        // "utf-16" says no byte order, so the mark may.
        if label.eq_ignore_ascii_case("utf-16") && found != UTF_8 {
            encoding = found;
        }
        if found != encoding {
            return Err(ParseError::ContradictoryCharset { given: label.to_owned(), found: found.name() });
        }
        rest = &bytes[mark..];
    }
    let reading = Reading::new(rest, encoding);
    if reading.fits() {
        return Ok(reading);
    }
    let characters = reading.text.chars().count();
    Err(ParseError::WrongCharset { charset: label.to_owned(), damaged: reading.damaged, characters })
}

fn detected_reading(bytes: &[u8], hint: Option<&'static Encoding>) -> Result<Reading, ParseError> {
    if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        return Err(ParseError::Utf32);
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let reading = Reading::new(&bytes[mark..], encoding);
        return if reading.fits() { Ok(reading) } else { Err(ParseError::UndetectableCharset) };
    }
    if bytes.contains(&0) {
        let damage = || ParseError::Binary("it has zero bytes".to_owned());
        return utf16_without_mark(bytes).ok_or_else(damage);
    }
    let utf8 = Reading::new(bytes, UTF_8);
    if utf8.damaged == 0 || is_damaged_utf8(&utf8) {
        return Ok(utf8);
    }
    drop(utf8);
    let hinted = hint.filter(|hint| *hint != UTF_8).map(|hint| Reading::new(bytes, hint));
    match hinted.filter(Reading::fits) {
        Some(reading) => Ok(reading),
        None => guessed_reading(bytes),
    }
}

/// Whether this can only be UTF-8 of which a few bytes were lost: other character sets do not form its sequences by
/// chance.
fn is_damaged_utf8(reading: &Reading) -> bool {
    let beyond_ascii = reading.text.chars().filter(|c| !c.is_ascii()).count() - reading.damaged;
    reading.fits() && beyond_ascii >= 10 * reading.damaged
}

/// UTF-16 by its look: in the right byte order nothing but usual characters comes out. Latin letters in the wrong one
/// look like Han, so if both will do, the order with more ASCII is the right one.
fn utf16_without_mark(bytes: &[u8]) -> Option<Reading> {
    if bytes.len() % 2 == 1 || is_ascii_with_zeros(bytes) {
        return None;
    }
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES) & !1];
    let ascii_if_plausible = |encoding: &'static Encoding| {
        let (text, _) = encoding.decode_without_bom_handling(sample);
        let usual = text.chars().filter(|c| is_usual(*c)).count();
        let plausible = usual * 100 >= text.chars().count() * 97;
        plausible.then(|| text.bytes().filter(u8::is_ascii).count())
    };
    let orders = [UTF_16LE, UTF_16BE].map(|encoding| (ascii_if_plausible(encoding), encoding));
    let (ascii, encoding) = orders.into_iter().max_by_key(|(ascii, _)| *ascii)?;
    let reading = ascii.map(|_| Reading::new(bytes, encoding))?;
    reading.fits().then_some(reading)
}

/// Whether this is Latin text into which zero bytes have come: two of its letters look like one of Han. UTF-16 has a zero
/// byte beside every Latin letter, and no such run of letters in any other script.
fn is_ascii_with_zeros(bytes: &[u8]) -> bool {
    let (mut zeros, mut ascii) = (0, 0);
    for byte in bytes {
        match byte {
            0 => zeros += 1,
            b'\t' | b'\n' | b'\r' | b' '..=b'~' => ascii += 1,
            _ => {}
        }
    }
    zeros * 10 < bytes.len() && ascii * 20 >= (bytes.len() - zeros) * 19
}

/// Characters that texts consist of: Latin, Greek, Cyrillic, general punctuation, CJK, kana, hangul, full-width forms.
fn is_usual(c: char) -> bool {
    matches!(c,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{a0}'..='\u{52f}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}'
        | '\u{3000}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff9f}')
}

fn guessed_reading(bytes: &[u8]) -> Result<Reading, ParseError> {
    let chinese = Reading::new(bytes, GB18030);
    if chinese.damaged == 0 && is_plain_chinese(&chinese.text) {
        return Ok(chinese);
    }
    let candidates = [guess(bytes), GB18030, BIG5, SHIFT_JIS, EUC_KR, EUC_JP];
    let mut readings = candidates.into_iter().map(|encoding| Reading::new(bytes, encoding));
    readings.find(Reading::fits).ok_or(ParseError::UndetectableCharset)
}

/// What the letters look most like. A file that was cut within its last character ends in a way that rules out every
/// character set with two bytes a character: then its end is not looked at.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let first = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or_default();
    let end = bytes.len().min(first.saturating_add(SAMPLE_BYTES));
    // The detector weighs what stands before the first byte beyond ASCII.
    let sample = &bytes[first.saturating_sub(2)..end];
    let looks_like = |is_whole: bool| {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(sample, is_whole);
        detector.guess(None, Utf8Detection::Deny)
    };
    let whole = looks_like(end == bytes.len());
    let may_be_cut = whole.is_single_byte() && bytes.last().is_some_and(|byte| !byte.is_ascii());
    let cut = may_be_cut.then(|| looks_like(false)).filter(|guess| !guess.is_single_byte());
    match cut.unwrap_or(whole) {
        guess if guess == GBK => GB18030, // which is GBK and all the rest of Unicode
        guess => guess,
    }
}

/// Refuses what no text has: zero bytes, or control characters in number.
fn refuse_binary(text: &str) -> Result<(), ParseError> {
    if text.contains('\0') {
        return Err(ParseError::Binary("it has zero bytes".to_owned()));
    }
    let layout = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1b}' | '\u{85}');
    let controls = text.chars().filter(|c| c.is_control() && !layout(*c)).count();
    let characters = text.chars().count();
    if controls * CHARACTERS_PER_CONTROL > characters {
        return Err(ParseError::Binary(format!(
            "{controls} of {characters} characters are control characters"
        )));
    }
    Ok(())
}

#[cfg(test)]
#[path = "charset_tests.rs"]
mod tests;
