//! The WebSocket: many responses and documents over one connection, with the events of SSE and the requests of HTTP.

mod frame;
mod request;
mod socket;

use crate::{
    auth,
    caller::Caller,
    limits,
    problem::{Code, Problem},
    state::{ApiOptions, AppState},
    trace,
};
use axum::{
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};

/// The largest frame that is read, in bytes.
const LARGEST_FRAME: usize = 2 * 1024 * 1024;

/// What a connection holds ready to read into, in bytes: as much as a usual frame. The library's 128 KiB would be most of
/// what a connection costs, and are written over with zeros before each read. Larger frames make room for themselves.
const READ_BUFFER: usize = 2 * 1024;

/// Subscribe, ask, cancel and ping over one connection. Frames are JSON texts `{id?, type, ...}`; each is answered with
/// `{id, type: "ok" | "error"}`. Events come as in the `data` of server-sent events. Without an `Authorization` header
/// the first frame is `{type: "auth", token}`, within 5 seconds.
#[utoipa::path(
    get, path = "/api/v1/ws", tag = "websocket",
    responses((status = 101, description = "A WebSocket"), (status = 403, description = "A page of another site"),
        (status = 426, description = "No WebSocket was asked for"),
        (status = 429, description = "Too many requests"))
)]
pub async fn connect(
    State(state): State<AppState>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| no_upgrade())?;
    if !is_same_site(&state.options, &headers) {
        let detail = "Pages of this site may not connect.";
        return Err(Problem::new(StatusCode::FORBIDDEN, Code::Forbidden, detail));
    }
    let caller = known(&state, &headers).await?;
    let upgrade =
        upgrade.read_buffer_size(READ_BUFFER).max_message_size(LARGEST_FRAME).max_frame_size(LARGEST_FRAME);
    let trace = trace::current();
    Ok(upgrade.on_upgrade(move |socket| trace::within(trace, socket::run(state, socket, caller))))
}

/// What the answer is to whoever asks for a page here, or speaks another version.
fn no_upgrade() -> Problem {
    let detail = "This is a WebSocket of version 13: connect to it as one.";
    let how = HeaderMap::from_iter([
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
    ]);
    Problem::new(StatusCode::UPGRADE_REQUIRED, Code::InvalidRequest, detail).with_headers(how)
}

/// Who connects; `None`: the first frame will say.
async fn known(state: &AppState, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
    if headers.contains_key(header::AUTHORIZATION) || !state.options.identity.required {
        let caller = auth::caller(state, headers).await?;
        limits::admit(state, &caller).await?;
        return Ok(Some(caller));
    }
    Ok(None)
}

/// Browsers name the site of the page that connects; a WebSocket has no other protection against pages of others.
fn is_same_site(options: &ApiOptions, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let site = origin.split_once("://").map_or("", |(_, site)| site);
    let here = text(header::HOST).is_some_and(|host| host.eq_ignore_ascii_case(site));
    here || options.cors_origins.iter().any(|allowed| allowed == "*" || allowed == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_sites_are_refused() {
        let options =
            ApiOptions { cors_origins: vec!["https://app.example.com".into()], ..ApiOptions::default() };
        let same = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "chat.example.com:8000".parse().unwrap());
            origin.map(|origin| headers.insert(header::ORIGIN, origin.parse().unwrap()));
            is_same_site(&options, &headers)
        };
        assert!(same(None), "no browser");
        assert!(same(Some("https://chat.example.com:8000")));
        assert!(same(Some("https://app.example.com")));
        assert!(!same(Some("https://evil.example")));
        assert!(!same(Some("null")));
    }
}
