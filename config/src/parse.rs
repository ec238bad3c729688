//! Text to values. Each error says what is wrong and never repeats the text.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::str::FromStr;

use crate::secret::Secret;
use crate::url::Url;

pub(crate) type Parsed<T> = Result<T, String>;

/// Nothing is `None`, anything else is parsed.
pub(crate) fn optional<T>(text: &str, parse: fn(&str) -> Parsed<T>) -> Parsed<Option<T>> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// A switch.
pub(crate) fn switch(text: &str) -> Parsed<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("is neither true nor false".into()),
    }
}

/// A number from `low` to `high`, both included.
pub(crate) fn within<T: FromStr + PartialOrd + Copy>(text: &str, low: T, high: T) -> Parsed<T> {
    match text.parse::<T>() {
        Ok(number) if number >= low && number <= high => Ok(number),
        // A float that is no number compares with nothing and lands here as well.
        Ok(_) => Err("is out of range".into()),
        Err(_) => Err(not_a_number(text)),
    }
}

/// A whole number that does not fit is out of range, not unreadable; and one case has a known cause.
fn not_a_number(text: &str) -> String {
    if text.starts_with("tcp://") {
        return "is a Kubernetes service link (set `enableServiceLinks: false` in the pod)".into();
    }
    match text.parse::<i128>() {
        Ok(_) => "is out of range".into(),
        Err(_) => "is not such a number".into(),
    }
}

/// A name. Line ends inside would break the header or log line that it ends up in.
pub(crate) fn text(text: &str) -> Parsed<String> {
    if text.chars().any(char::is_control) {
        return Err("contains a control character".into());
    }
    Ok(text.to_owned())
}

/// A password or key.
pub(crate) fn secret(secret: &str) -> Parsed<Secret> {
    text(secret).map(Secret::new)
}

/// A file or folder.
pub(crate) fn path(text: &str) -> Parsed<PathBuf> {
    if text.contains('\0') {
        return Err("contains a NUL character".into());
    }
    Ok(PathBuf::from(text))
}

/// An address to listen on.
pub(crate) fn listen_address(text: &str) -> Parsed<IpAddr> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| "is not an IP address".into())
}

/// A web address.
pub(crate) fn web_url(text: &str) -> Parsed<Url> {
    let url = Url::parse(text)?;
    match (url.scheme(), url.hosts()) {
        ("http" | "https", [_]) => Ok(url.without_trailing_slash()),
        ("http" | "https", _) => Err("does not name one host".into()),
        (scheme, _) => Err(unknown_scheme(scheme)),
    }
}

/// Names of a list: `a, b` or, as pydantic settings have them, `["a", "b"]`.
pub(crate) fn list(text: &str) -> Parsed<Vec<String>> {
    if text.starts_with('[') && !text.starts_with("[:") {
        return serde_json::from_str(text).map_err(|_| "is not a JSON list of strings".into());
    }
    Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
}

/// A prefix of keys.
pub(crate) fn key_prefix(text: &str) -> Parsed<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_:".contains(c);
    if !(1..=64).contains(&text.len()) || !text.chars().all(fits) {
        return Err("is no prefix of keys".into());
    }
    Ok(text.to_owned())
}

/// The beginning of the names of vector collections.
pub(crate) fn collection_name(text: &str) -> Parsed<String> {
    let upper = text.starts_with(|first: char| first.is_ascii_uppercase());
    if !upper || text.len() > 64 || !text.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err("is no name of a collection".into());
    }
    Ok(text.to_owned())
}

/// The name of an S3 bucket, by the rules that every S3 server enforces.
pub(crate) fn bucket_name(text: &str) -> Parsed<String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let edges = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let shape = text.chars().all(allowed) && text.starts_with(edges) && text.ends_with(edges);
    if shape && (3..=63).contains(&text.len()) && !text.contains("..") {
        Ok(text.to_owned())
    } else {
        Err("is not a valid bucket name".into())
    }
}

/// What to say of a scheme that nobody handles. What stands before a colon is only repeated if it looks like one:
/// it may be half of a misplaced password.
pub(crate) fn unknown_scheme(scheme: &str) -> String {
    let plain = scheme.len() <= 20 && scheme.chars().all(|c| c.is_ascii_lowercase() || "+-.".contains(c));
    if plain { format!("has the unknown scheme `{scheme}:`") } else { "has no known scheme".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_switches() {
        assert_eq!(["true", "1", "Yes", "ON"].map(switch), [const { Ok(true) }; 4]);
        assert_eq!(["false", "0", "no", "off"].map(switch), [const { Ok(false) }; 4]);
        assert!(switch("maybe").is_err());
    }

    #[test]
    fn numbers_keep_their_range() {
        assert_eq!(within("0.7", 0.0, 2.0), Ok(0.7));
        assert_eq!(within("2", 1, 2), Ok(2));
        assert_eq!(within("3", 1_u8, 2), Err("is out of range".into()));
        assert_eq!(within("70000", 0, u16::MAX), Err("is out of range".into()));
        assert_eq!(within("NaN", 0.0, 2.0), Err("is out of range".into()));
        assert_eq!(within("hot", 0.0, 2.0), Err("is not such a number".into()));
        assert!(within("tcp://10.0.0.7:8001", 0, u16::MAX).unwrap_err().contains("enableServiceLinks"));
    }

    #[test]
    fn reads_listening_addresses() {
        assert_eq!(listen_address("localhost"), Ok(IpAddr::from([127, 0, 0, 1])));
        assert_eq!(listen_address("0.0.0.0"), Ok(IpAddr::from([0, 0, 0, 0])));
        assert!(listen_address("[::1]").unwrap().is_loopback());
        assert!(listen_address("my-host").is_err());
    }

    #[test]
    fn reads_lists_of_both_kinds() {
        assert_eq!(list("a, b,,c "), Ok(vec!["a".into(), "b".into(), "c".into()]));
        assert_eq!(list(r#"["a", "b"]"#), Ok(vec!["a".into(), "b".into()]));
        assert_eq!(list("[::1], localhost"), Ok(vec!["[::1]".into(), "localhost".into()]));
        assert!(list("[1, 2]").is_err());
        assert!(list("[a").is_err());
    }

    #[test]
    fn bucket_names_follow_the_rules() {
        assert!(bucket_name("rag-chat-uploads").is_ok());
        for bad in ["ab", "Rag", "rag_chat", "-rag", "rag-", "a..b", &"a".repeat(64)] {
            assert!(bucket_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn web_addresses_lose_their_last_slash() {
        assert_eq!(web_url("http://127.0.0.1:11434/v1/").unwrap().expose(), "http://127.0.0.1:11434/v1");
        assert_eq!(web_url("ftp://host").unwrap_err(), "has the unknown scheme `ftp:`");
        assert_eq!(web_url("Sk-Secret1://x").unwrap_err(), "has no known scheme");
        assert!(web_url("http://").is_err());
    }

    #[test]
    fn secrets_fit_into_a_header() {
        assert!(secret("a\nb").is_err());
        assert_eq!(secret("a b").unwrap().expose(), "a b");
    }
}
