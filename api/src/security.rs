//! Headers that every answer has: what a browser must not do with it.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// An answer of this interface is data. Whoever opens one as a page gets a page that can load, run and send nothing.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// A year: a browser that came once by TLS comes by TLS from then on.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What nothing overrides, and no answer has reason to.
const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    // Pages of other sites cannot embed an answer; those that `CORS_ORIGINS` names may read it nevertheless.
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Middleware, the outermost but one: adds the headers. What an endpoint says of its own content stays.
pub async fn secure(request: Request, next: Next) -> Response {
    let by_tls = came_by_tls(request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    if by_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
    }
    response
}

/// Whether the client spoke TLS, as the proxy says; of several proxies the first one's word counts. A client that
/// invents it gets a header that browsers ignore on a connection without TLS.
fn came_by_tls(headers: &HeaderMap) -> bool {
    let said = headers.get(FORWARDED_PROTO).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(',').next().is_some_and(|first| first.trim().eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_proxy_knows_how_the_client_came() {
        let by_tls = |said: &'static str| {
            came_by_tls(&HeaderMap::from_iter([(FORWARDED_PROTO, HeaderValue::from_static(said))]))
        };
        assert!(by_tls("https") && by_tls("HTTPS, http"));
        assert!(!by_tls("http") && !by_tls("http, https") && !by_tls(""));
        assert!(!came_by_tls(&HeaderMap::new()));
    }
}
