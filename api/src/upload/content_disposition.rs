//! The file name of a part: RFC 5987 `filename*`, UTF-8 as it is, or, best effort, GBK as old programs send it.

use super::filename::sanitise;
use axum::http::{HeaderMap, HeaderValue, header};
use encoding_rs::{Encoding, GB18030, WINDOWS_1252};
use std::borrow::Cow;

/// The name that a part gives its file, made safe.
pub fn filename(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_DISPOSITION).map(HeaderValue::as_bytes).unwrap_or_default();
    let parameters = parameters(value);
    let find = |wanted: &str| {
        parameters
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))
            .map(|(_, value)| value)
    };
    let extended = find("filename*").and_then(|value| extended(value));
    let name = extended.or_else(|| find("filename").map(|value| decode(value)));
    sanitise(&name.unwrap_or_default())
}

type Parameter<'a> = (&'a [u8], Cow<'a, [u8]>);

/// What follows the first semicolon: `name=value` or `name="value"`.
fn parameters(value: &[u8]) -> Vec<Parameter<'_>> {
    let mut found = Vec::new();
    let mut rest = skip_to(value, b';');
    while let Some(equals) = rest.iter().position(|byte| *byte == b'=') {
        let name = rest[..equals].trim_ascii();
        let after = rest[equals + 1..].trim_ascii_start();
        let (text, tail) = if let [b'"', quoted @ ..] = after {
            quoted_text(quoted)
        } else {
            let end = after.iter().position(|byte| *byte == b';').unwrap_or(after.len());
            (Cow::Borrowed(after[..end].trim_ascii()), &after[end..])
        };
        found.push((name, text));
        rest = skip_to(tail, b';');
    }
    found
}

fn skip_to(bytes: &[u8], stop: u8) -> &[u8] {
    bytes.iter().position(|byte| *byte == stop).map_or(&[], |at| &bytes[at + 1..])
}

/// Up to the closing quote. Only a quote is escaped in practice: a backslash before anything else is itself, because
/// some programs send whole paths of Windows.
fn quoted_text(bytes: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let mut text = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return (Cow::Owned(text), &bytes[at + 1..]),
            b'\\' if bytes.get(at + 1) == Some(&b'"') => {
                text.push(b'"');
                at += 2;
            }
            byte => {
                text.push(byte);
                at += 1;
            }
        }
    }
    (Cow::Owned(text), &[])
}

/// `charset'language'percent-encoded`.
fn extended(value: &[u8]) -> Option<String> {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let (charset, _language, text) = (parts.next()?, parts.next()?, parts.next()?);
    let encoding = Encoding::for_label(charset)?;
    let bytes = percent_decode(text)?;
    let (decoded, _, wrong) = encoding.decode(&bytes);
    (!wrong).then(|| decoded.into_owned())
}

fn percent_decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let [high, low, after @ ..] = tail else {
                return None;
            };
            let pair = std::str::from_utf8(&[*high, *low]).ok()?.to_owned();
            bytes.push(u8::from_str_radix(&pair, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    Some(bytes)
}

/// UTF-8 if it is; GB18030 if it can be; otherwise what a Western system would have meant.
fn decode(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    match GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => text.into_owned(),
        None => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn name_of(value: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_bytes(value).unwrap());
        filename(&headers)
    }

    #[test]
    fn utf8_names_stay() {
        assert_eq!(name_of("form-data; name=\"file\"; filename=\"员工手册.md\"".as_bytes()), "员工手册.md");
        assert_eq!(name_of(b"form-data; name=file; filename=a.txt"), "a.txt");
    }

    #[test]
    fn extended_names_win() {
        let value = b"form-data; name=\"file\"; filename=\"x.txt\"; filename*=UTF-8''%E6%89%8B%E5%86%8C.txt";
        assert_eq!(name_of(value), "手册.txt");
        assert_eq!(name_of(b"form-data; name=\"file\"; filename=\"x.txt\"; filename*=UTF-8''%E"), "x.txt");
    }

    #[test]
    fn a_hidden_nul_goes() {
        assert_eq!(name_of(b"form-data; name=\"file\"; filename*=UTF-8''a%00b%0D.txt"), "ab.txt");
    }

    #[test]
    fn gbk_names_are_read() {
        let mut value = b"form-data; name=\"file\"; filename=\"".to_vec();
        value.extend_from_slice(&[0xca, 0xd6, 0xb2, 0xe1]); // 手册
        value.extend_from_slice(b".txt\"");
        assert_eq!(name_of(&value), "手册.txt");
    }

    #[test]
    fn a_semicolon_or_an_escaped_quote_does_not_end_a_name() {
        assert_eq!(name_of(b"form-data; filename=\"a;b.txt\"; name=\"file\""), "a;b.txt");
        assert_eq!(name_of(b"form-data; filename=\"a\\\"b.txt\"; name=\"file\""), "a\"b.txt");
        assert_eq!(name_of(b"form-data; filename=\"C:\\dir\\b.txt\""), "b.txt");
        assert_eq!(name_of(b"form-data; name=\"filename=x\"; filename=\"../y\""), "y");
    }

    #[test]
    fn nameless_files_get_a_name() {
        assert_eq!(name_of(b"form-data; name=\"file\""), "document");
        assert_eq!(name_of(b"form-data; name=\"file\"; filename=\"\""), "document");
    }
}
