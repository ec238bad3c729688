//! What Prometheus reads.

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::Response,
};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tokio::time::Instant;

/// Bounds of every histogram, in seconds: from a pick-up to a long turn.
const BUCKETS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
    120.0, 300.0,
];
/// Installs the process's recorder. Once per process.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new().set_buckets(BUCKETS)?.install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    metrics::describe_counter!("http_requests_total", "Requests that were answered");
    metrics::describe_histogram!(
        "http_request_duration_seconds",
        metrics::Unit::Seconds,
        "From a request's head to its answer's head"
    );
    metrics::describe_gauge!("sse_active_connections", "Event streams that are open");
}

/// Middleware: counts and times requests by route pattern, never by raw path.
pub async fn measure(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let endpoint = route.as_ref().map_or("unmatched", MatchedPath::as_str).to_owned();
    let (status, elapsed) = (response.status().as_u16(), begun.elapsed());
    let labels = [("method", method.to_owned()), ("endpoint", endpoint)];
    metrics::histogram!("http_request_duration_seconds", &labels).record(elapsed);
    let [method, endpoint] = labels;
    tracing::debug!(
        http.status = status,
        http.route = endpoint.1,
        elapsed_ms = elapsed.as_secs_f64() * 1e3,
        "answered"
    );
    metrics::counter!("http_requests_total", &[method, endpoint, ("status", status.to_string())])
        .increment(1);
    response
}

/// Anybody can invent methods: labels must not grow with them.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
