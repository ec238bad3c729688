//! What is left, in the headers that clients know: `RateLimit-*` of the IETF's draft, and `X-RateLimit-*` as OpenAI's
//! clients read them.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chat_core::{Measure, Standing};
use std::time::Duration;

const PLAIN: [HeaderName; 3] = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];
const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
const TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// Every one, for pages of other sites to read.
pub const ALL: [&str; 9] = [
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
];

/// How far a limit is used.
pub fn of(standing: &Standing) -> HeaderMap {
    let (most, left, reset) = (standing.limit.most, standing.left(), seconds(standing.reset));
    let named = match standing.limit.measure {
        Measure::Requests => REQUESTS,
        Measure::Tokens => TOKENS,
    };
    let plain = [HeaderValue::from(most), left.into(), reset.into()];
    let openai = [most.into(), left.into(), after(reset)];
    PLAIN.into_iter().zip(plain).chain(named.into_iter().zip(openai)).collect()
}

/// Whole seconds, at least as long as it takes.
pub fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1_000) as u64
}

/// A time as OpenAI writes it.
fn after(seconds: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("{seconds}s")).unwrap_or_else(|_| HeaderValue::from_static("0s"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_core::Limits;

    #[test]
    fn what_is_left_is_told_in_both_ways() {
        let limit = Limits { tenant_tokens: 1_000, ..Limits::default() }.tokens(None)[0];
        let standing = Standing {
            limit,
            used: 1_200,
            wait: Duration::from_millis(3_001),
            reset: Duration::from_millis(3_001),
        };
        let headers = of(&standing);
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!((text("ratelimit-limit"), text("ratelimit-remaining")), ("1000".into(), "0".into()));
        assert_eq!((text("ratelimit-reset"), text("x-ratelimit-reset-tokens")), ("4".into(), "4s".into()));
        assert!(headers.keys().all(|name| ALL.contains(&name.as_str())));
    }
}
