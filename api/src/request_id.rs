//! `X-Request-ID`: on every answer and every log line of a request. A `traceparent` (W3C Trace Context) adds `trace_id` to
//! these lines, and to those of the jobs that the request enqueues.

use crate::trace;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use chat_core::TraceParent;
use tracing::Instrument;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
/// The longest id that is taken over from a caller, in bytes.
const LONGEST: usize = 128;

/// Middleware: takes the caller's id over if it is sane, or makes one.
pub async fn identify(request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(fresh);
    let trace = request.headers().get(TRACE_PARENT).and_then(|value| value.to_str().ok());
    let trace = trace.and_then(TraceParent::parse);
    let span = tracing::info_span!(
        "request",
        request.id = id.to_str().unwrap_or_default(),
        http.method = %request.method(),
        http.path = request.uri().path(),
        trace_id = trace.map(|trace| trace.trace_id()),
    );
    let mut response = trace::within(trace, next.run(request)).instrument(span).await;
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
