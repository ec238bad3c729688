//! Requests name their host, and with `ALLOWED_HOSTS` one that is served: a page of another site must not reach this service
//! under a name of its own (DNS rebinding).

use crate::{
    problem::{Code, Problem},
    state::AppState,
};
use axum::{
    extract::{Request, State},
    http::{StatusCode, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Middleware: answers only hosts that are allowed. Probes name addresses, not hosts: they are always answered.
pub async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if names_nobody(&request) {
        return Problem::unreadable("A request of HTTP/1.1 must have a Host header.").into_response();
    }
    let Some(allowed) = &state.options.allowed_hosts else {
        return next.run(request).await;
    };
    let is_probe = matches!(request.uri().path(), "/health" | "/ready");
    if is_probe || names_only(allowed, &request) {
        return next.run(request).await;
    }
    Problem::new(StatusCode::MISDIRECTED_REQUEST, Code::InvalidRequest, "This host is not served here.")
        .into_response()
}

/// What HTTP/1.1 forbids (RFC 9112, section 3.2).
fn names_nobody(request: &Request) -> bool {
    request.version() == Version::HTTP_11
        && request.uri().host().is_none()
        && !request.headers().contains_key(header::HOST)
}

/// Whether a request names a host, and every name that it has is allowed: whoever stands in front may go by another one
/// of them.
fn names_only(allowed: &[String], request: &Request) -> bool {
    let named = request.headers().get_all(header::HOST).iter();
    let named = named.map(|value| value.to_str().unwrap_or_default());
    let mut hosts = request.uri().host().into_iter().chain(named).peekable();
    hosts.peek().is_some() && hosts.all(|host| is_allowed(allowed, host))
}

fn is_allowed(allowed: &[String], host: &str) -> bool {
    let host = without_port(host).to_ascii_lowercase();
    allowed.iter().any(|pattern| match pattern.strip_prefix('.') {
        Some(domain) => host == domain || host.ends_with(pattern.as_str()),
        None => pattern == "*" || *pattern == host,
    })
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        // The colons of a bare IPv6 address are not before a port.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_their_subdomains() {
        let allowed = ["chat.example.com".to_owned(), ".example.org".to_owned(), "[::1]".to_owned()];
        for host in [
            "chat.example.com",
            "CHAT.example.com:8000",
            "example.org",
            "a.example.org",
            "[::1]:8000",
            "[::1]",
        ] {
            assert!(is_allowed(&allowed, host), "{host}");
        }
        for host in ["example.com", "evil.com", "evilexample.org", ""] {
            assert!(!is_allowed(&allowed, host), "{host}");
        }
        assert!(is_allowed(&["*".to_owned()], "anything"));
    }
}
