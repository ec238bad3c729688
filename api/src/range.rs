//! Byte ranges (RFC 9110, section 14): one of them, or the whole.

use axum::http::HeaderMap;
use std::ops::Range;

/// Which bytes a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All of them.
    Whole,
    /// These.
    Part(Range<u64>),
    /// None that are there.
    Unsatisfiable,
}

/// Reads the `Range` header for `size` bytes whose entity tag is `tag`.
pub fn wanted(headers: &HeaderMap, size: u64, tag: &str) -> Wanted {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let current = text("if-range").is_none_or(|condition| condition == tag);
    match text("range") {
        Some(range) if current => parse(range, size),
        _ => Wanted::Whole,
    }
}

/// What cannot be understood, or names several parts, is answered with the whole, as the standard allows.
fn parse(header: &str, size: u64) -> Wanted {
    let Some((from, to)) = header.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'))
    else {
        return Wanted::Whole;
    };
    let range = match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(to)) if from <= to => from..to.saturating_add(1).min(size),
        (Ok(from), Err(_)) if to.is_empty() => from..size,
        (Err(_), Ok(last)) if from.is_empty() => size.saturating_sub(last)..size,
        _ => return Wanted::Whole,
    };
    if range.start < range.end { Wanted::Part(range) } else { Wanted::Unsatisfiable }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(parse("bytes=0-9", 100), Wanted::Part(0..10));
        assert_eq!(parse("bytes=90-", 100), Wanted::Part(90..100));
        assert_eq!(parse("bytes=-10", 100), Wanted::Part(90..100));
        assert_eq!(parse("bytes=-500", 100), Wanted::Part(0..100));
        assert_eq!(parse("bytes=50-500", 100), Wanted::Part(50..100));
    }

    #[test]
    fn what_is_not_there_cannot_be_given() {
        assert_eq!(parse("bytes=100-", 100), Wanted::Unsatisfiable);
        assert_eq!(parse("bytes=200-300", 100), Wanted::Unsatisfiable);
        assert_eq!(parse("bytes=-0", 100), Wanted::Unsatisfiable);
    }

    #[test]
    fn what_is_not_understood_gets_the_whole() {
        for header in ["bytes=9-0", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes=-", ""] {
            assert_eq!(parse(header, 100), Wanted::Whole, "{header}");
        }
    }
}
