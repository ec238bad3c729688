//! A plain request that takes too long is given up, so that a caller and its connection do not wait for ever. What it has
//! handed over to be committed is committed all the same: whoever repeats it needs an `Idempotency-Key` to find it done.

use crate::{
    problem::{Code, Problem},
    state::AppState,
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

/// How long the caller is to wait before another try, in seconds.
const RETRY_AFTER: u64 = 2;

/// What takes as long as its body does, or waits as long as its caller asks: each has limits of its own. The events of
/// a stream come after the head of its answer, which is all that is waited for here.
const OWN_LIMITS: [(Method, &str); 3] = [
    (Method::POST, "/api/v1/collections/{id}/documents"),
    (Method::PUT, "/api/v1/documents/{id}/content"),
    (Method::POST, "/api/v1/embeddings"),
];

/// Middleware: 503 if there is no answer in time.
pub async fn keep(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if OWN_LIMITS.iter().any(|(method, own)| request.method() == method && path == *own) {
        return next.run(request).await;
    }
    let limit = state.options.request_timeout;
    if let Ok(response) = timeout(limit, next.run(request)).await {
        return response;
    }
    tracing::warn!(limit_ms = limit.as_millis() as u64, "a request took too long and was given up");
    let detail = "There was no answer in time. Try again, with the same Idempotency-Key if it is a POST.";
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::DependencyUnavailable, detail);
    problem.after(RETRY_AFTER).into_response()
}
