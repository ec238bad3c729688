//! What sort of file it is: what the caller says, or else what its name says.

use axum::http::{HeaderMap, header};
use encoding_rs::Encoding;

/// Endings and what they mean.
const BY_NAME: &[(&str, &str)] = &[
    ("txt", "text/plain"),
    ("text", "text/plain"),
    ("log", "text/plain"),
    ("md", "text/markdown"),
    ("markdown", "text/markdown"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("xhtml", "application/xhtml+xml"),
    ("csv", "text/csv"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("pdf", "application/pdf"),
    ("epub", "application/epub+zip"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
];

/// What programs send when they do not know.
const MEANINGLESS: &[&str] = &["", "application/octet-stream", "application/x-www-form-urlencoded"];

/// What a name's ending says.
pub fn of_name(filename: &str) -> &'static str {
    let ending = filename.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    BY_NAME.iter().find(|(known, _)| *known == ending).map_or("application/octet-stream", |(_, kind)| kind)
}

/// The media type without parameters, and the character set that came with it; or what is wrong with that.
pub fn choose(given: Option<&str>, filename: &str) -> Result<(String, Option<String>), String> {
    let given = given.unwrap_or_default();
    let mut parts = given.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let label =
        parts.find_map(|part| part.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("charset")));
    let charset = label.map(|(_, label)| charset(label.trim_matches('"'))).transpose()?;
    if MEANINGLESS.contains(&essence.as_str()) || essence.len() > 200 || !essence.is_ascii() {
        return Ok((of_name(filename).to_owned(), None));
    }
    Ok((essence, charset))
}

/// The name of a character set, if the label is one that the Web knows; or what is wrong with it.
pub fn charset(label: &str) -> Result<String, String> {
    let found = Encoding::for_label(label.as_bytes()).map(|encoding| encoding.name().to_owned());
    found.ok_or_else(|| {
        let shown: String = label.chars().take(100).collect();
        format!("{shown:?} is not a known character set")
    })
}

/// Whether a request's body is a form with files.
pub fn is_multipart(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_caller_says_counts() {
        let found = choose(Some("text/plain; charset=\"gbk\""), "a.md");
        assert_eq!(found, Ok(("text/plain".to_owned(), Some("GBK".to_owned()))));
        assert!(choose(Some("text/plain; charset=nope"), "a.md").unwrap_err().contains("nope"));
    }

    #[test]
    fn a_meaningless_type_does_not_hide_what_the_name_says() {
        let found = choose(Some("application/octet-stream"), "说明.MD");
        assert_eq!(found, Ok(("text/markdown".to_owned(), None)));
        assert_eq!(choose(None, "README"), Ok(("application/octet-stream".to_owned(), None)));
    }
}
