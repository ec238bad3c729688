//! `X-Request-ID`: on every answer and every log line of a request. A `traceparent` (W3C Trace Context) adds `trace_id` to
//! these lines.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
/// The longest id that is taken over from a caller, in bytes.
const LONGEST: usize = 128;

/// Middleware: takes the caller's id over if it is sane, or makes one.
pub async fn identify(request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(fresh);
    let span = tracing::info_span!(
        "request",
        request.id = id.to_str().unwrap_or_default(),
        http.method = %request.method(),
        http.path = request.uri().path(),
        trace_id = trace(request.headers()),
    );
    let mut response = next.run(request).instrument(span).await;
    response.headers_mut().insert(HEADER, id);
    response
}

/// What could disturb a log or a shell is not taken over.
fn given(headers: &HeaderMap) -> Option<HeaderValue> {
    let sane = |id: &&HeaderValue| {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        (1..=LONGEST).contains(&id.len()) && id.as_bytes().iter().all(allowed)
    };
    headers.get(HEADER).filter(sane).cloned()
}

fn fresh() -> HeaderValue {
    let mut text = Uuid::encode_buffer();
    let text = Uuid::now_v7().hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

/// The trace that a request is part of: `00-<trace id>-<parent id>-<flags>`, in lower-case hex; later versions may add
/// more. Zeros name none.
fn trace(headers: &HeaderMap) -> Option<&str> {
    let mut parts = headers.get(TRACE_PARENT)?.to_str().ok()?.split('-');
    let sound = |part: &&str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let named = |part: &&str| part.bytes().any(|byte| byte != b'0');
    let version = parts.next().filter(|part| sound(part, 2) && *part != "ff")?;
    let trace = parts.next().filter(|part| sound(part, 32) && named(part))?;
    parts.next().filter(|part| sound(part, 16) && named(part))?;
    parts.next().filter(|part| sound(part, 2))?;
    (version != "00" || parts.next().is_none()).then_some(trace)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_taken_over_if_it_is_one() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let of = |given: &str| {
            let headers = HeaderMap::from_iter([(TRACE_PARENT, given.parse().unwrap())]);
            trace(&headers).map(str::to_owned)
        };
        for sound in [format!("00-{id}-00f067aa0ba902b7-01"), format!("cc-{id}-00f067aa0ba902b7-01-more")] {
            assert_eq!(of(&sound).as_deref(), Some(id), "{sound}");
        }
        for broken in [
            format!("00-{id}-00f067aa0ba902b7"),
            format!("00-{id}-00f067aa0ba902b7-01-more"),
            format!("ff-{id}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{id}-0000000000000000-01"),
            "\"; DROP".to_owned(),
        ] {
            assert_eq!(of(&broken), None, "{broken}");
        }
    }
}
