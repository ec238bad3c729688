//! Sizes and times as people write them.

use std::time::Duration;

/// Bytes: `100MB` (decimal), `100MiB` (binary) or a plain number.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split_unit(text)?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err("has an unknown unit".into()),
    };
    match number.checked_mul(factor) {
        Some(0) => Err("must be more than 0".into()),
        Some(bytes) if i64::try_from(bytes).is_ok() => Ok(bytes),
        _ => Err("is too large".into()),
    }
}

/// A time: seconds as a plain number, or with a unit (`500ms`, `30s`, `5m`, `1h`); from a millisecond to a day.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text)?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err("has an unknown unit".into()),
    };
    match number.checked_mul(factor) {
        Some(0) => Err("must be more than 0".into()),
        Some(millis @ 1..=86_400_000) => Ok(Duration::from_millis(millis)),
        _ => Err("is more than a day".into()),
    }
}

fn split_unit(text: &str) -> Result<(u64, &str), String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if end == 0 {
        return Err("does not start with a whole number".into());
    }
    let number = text[..end].parse().map_err(|_| "is too large")?;
    Ok((number, text[end..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes() {
        for (text, value) in [
            ("1", 1),
            ("100MB", 100_000_000),
            ("100mb", 100_000_000),
            ("100 MB", 100_000_000),
            ("100MiB", 104_857_600),
            ("5kB", 5_000),
            ("2KiB", 2_048),
            ("1GB", 1_000_000_000),
            ("1GiB", 1_073_741_824),
            ("7B", 7),
        ] {
            assert_eq!(bytes(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn refuses_sizes_that_are_none() {
        for (text, reason) in [
            ("MB", "whole number"),
            ("-1", "whole number"),
            ("1.5GB", "unknown unit"),
            ("100M", "unknown unit"),
            ("0", "more than 0"),
            ("0MB", "more than 0"),
            ("99999999999GB", "too large"),
            ("99999999999999999999", "too large"),
            ("9223372036854775808", "too large"),
            ("10 百万", "unknown unit"),
        ] {
            assert!(bytes(text).unwrap_err().contains(reason), "{text}");
        }
    }

    #[test]
    fn reads_times() {
        for (text, millis) in
            [("30", 30_000), ("30s", 30_000), ("500ms", 500), ("5m", 300_000), ("1h", 3_600_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for (text, reason) in
            [("0", "more than 0"), ("soon", "whole number"), ("3d", "unit"), ("25h", "a day")]
        {
            assert!(duration(text).unwrap_err().contains(reason), "{text}");
        }
    }
}
