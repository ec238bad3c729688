//! How long a server asks us to wait, in any of the ways that servers say it.

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use std::time::Duration;

/// A server that asks for more is taken at this: nobody plans a turn further ahead.
const LONGEST: Duration = Duration::from_hours(1);

/// The wait that the answer's headers ask for: `retry-after-ms`, `Retry-After`, else when the rate limit resets.
pub(crate) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let exact = number(headers, "retry-after-ms").map(|millis| millis / 1000.0);
    let seconds = exact.or_else(|| retry_after(headers)).or_else(|| reset(headers))?;
    Some(bounded(seconds))
}

fn retry_after(headers: &HeaderMap) -> Option<f64> {
    let value = text(headers, RETRY_AFTER.as_str())?;
    if let Ok(seconds) = value.parse::<f64>() {
        return seconds.is_finite().then_some(seconds);
    }
    Some((http_date(value)? - answered_at(headers)) as f64)
}

/// The wait until there is something left of a limit that a success has used up.
pub(crate) fn used_up(headers: &HeaderMap) -> Option<Duration> {
    let waits = limits(headers).filter_map(|(used_up, seconds)| used_up.then_some(seconds));
    waits.max_by(f64::total_cmp).map(bounded)
}

fn bounded(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).map_or(LONGEST, |wait| wait.min(LONGEST))
}

/// The limit that is used up decides; if the server does not say which one is, the one that takes longest.
fn reset(headers: &HeaderMap) -> Option<f64> {
    limits(headers).max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))).map(|(_, seconds)| seconds)
}

/// Each limit that the server tells: whether it is used up, and the seconds until it resets.
fn limits(headers: &HeaderMap) -> impl Iterator<Item = (bool, f64)> {
    const LIMITS: [(&str, &str); 3] = [
        ("x-ratelimit-reset-requests", "x-ratelimit-remaining-requests"),
        ("x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"),
        ("x-ratelimit-reset", "x-ratelimit-remaining"),
    ];
    LIMITS.iter().filter_map(|(reset, left)| {
        let seconds = until(text(headers, reset)?, headers)?;
        Some((number(headers, left) == Some(0.0), seconds))
    })
}

/// `1m30.5s`, `20ms`, seconds, or a point in time as Unix seconds or milliseconds.
fn until(value: &str, headers: &HeaderMap) -> Option<f64> {
    const YEAR: f64 = 31_536_000.0;
    match value.parse::<f64>() {
        Ok(number) if number > 1000.0 * 30.0 * YEAR => Some(number / 1000.0 - answered_at(headers) as f64),
        Ok(number) if number > 30.0 * YEAR => Some(number - answered_at(headers) as f64),
        Ok(number) => number.is_finite().then_some(number),
        Err(_) => span(value),
    }
}

fn span(value: &str) -> Option<f64> {
    let mut rest = value;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        seconds += amount
            * match &rest[..letters] {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                _ => return None,
            };
        rest = &rest[letters..];
    }
    (!value.is_empty()).then_some(seconds)
}

/// The server's own clock, Unix seconds: its dates are compared with it, so that a clock of ours that is wrong does
/// not matter. Of a server that does not say what time it is, it is taken to be ours.
#[expect(
    clippy::disallowed_methods,
    reason = "what the server means by its dates does not depend on a test's clock"
)]
fn answered_at(headers: &HeaderMap) -> i64 {
    let told = text(headers, DATE.as_str()).and_then(http_date);
    told.unwrap_or_else(|| Utc::now().timestamp())
}

fn http_date(value: &str) -> Option<i64> {
    DateTime::parse_from_rfc2822(value).ok().map(|date| date.timestamp())
}

fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    text(headers, name)?.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> Option<f64> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        wait(&headers).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn reads_every_way_to_say_it() {
        assert_eq!(of(&[("retry-after", "7")]), Some(7.0));
        assert_eq!(of(&[("retry-after", "0.25")]), Some(0.25));
        assert_eq!(of(&[("retry-after", "9"), ("retry-after-ms", "1500")]), Some(1.5));
        // A date far ahead by a server that does not say what time it is: by our own clock.
        assert_eq!(of(&[("retry-after", "Fri, 22 Nov 2075 08:50:07 GMT")]), Some(LONGEST.as_secs_f64()));
        let date = ("date", "Sun, 22 Nov 2026 08:49:37 GMT");
        assert_eq!(of(&[("retry-after", "Sun, 22 Nov 2026 08:50:07 GMT"), date]), Some(30.0));
        assert_eq!(of(&[("retry-after", "Sun, 22 Nov 2026 08:00:00 GMT"), date]), Some(0.0));
        assert_eq!(of(&[("x-ratelimit-reset-requests", "1m30.5s")]), Some(90.5));
        assert_eq!(of(&[("x-ratelimit-reset-tokens", "20ms")]), Some(0.02));
        // 2026-11-22 08:49:37 is 1_795_337_377.
        assert_eq!(of(&[("x-ratelimit-reset", "1795337380"), date]), Some(3.0));
        assert_eq!(of(&[("x-ratelimit-reset", "1795337380000"), date]), Some(3.0));
    }

    #[test]
    fn the_limit_that_is_used_up_decides() {
        let both = [
            ("x-ratelimit-reset-requests", "6m0s"),
            ("x-ratelimit-remaining-requests", "42"),
            ("x-ratelimit-reset-tokens", "2s"),
            ("x-ratelimit-remaining-tokens", "0"),
        ];
        assert_eq!(of(&both), Some(2.0));
        assert_eq!(of(&both[..3]), Some(360.0));
    }

    #[test]
    fn a_success_asks_for_a_pause_if_it_used_a_limit_up() {
        let of = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            used_up(&pairs.collect()).map(|wait| wait.as_secs_f64())
        };
        let requests = [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6m0s")];
        let tokens = [("x-ratelimit-remaining-tokens", "7"), ("x-ratelimit-reset-tokens", "1h")];
        assert_eq!(of(&[requests, tokens].concat()), Some(360.0));
        assert_eq!(of(&tokens), None);
        assert_eq!(of(&requests[..1]), None, "it does not say for how long");
        assert_eq!(of(&[("retry-after", "5")]), None);
    }

    #[test]
    fn nonsense_is_no_wait_and_excess_is_an_hour() {
        for nonsense in ["", "soon", "-", "NaN", "inf", "1x", "5"] {
            let expected = (nonsense == "5").then_some(5.0);
            assert_eq!(of(&[("retry-after", nonsense)]), expected, "{nonsense}");
        }
        assert_eq!(of(&[("retry-after", "1e300")]), Some(3600.0));
        assert_eq!(of(&[("retry-after", "-5")]), Some(0.0));
        assert_eq!(of(&[("x-ratelimit-reset-tokens", "1x")]), None);
        assert_eq!(of(&[]), None);
    }
}
