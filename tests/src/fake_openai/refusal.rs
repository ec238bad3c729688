//! Answers that are no success.

use super::{Call, Refusal, Script};
use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header::AUTHORIZATION},
    response::{Html, IntoResponse, Response},
};
use serde_json::json;

/// The script's refusal, or the one that the request deserves.
pub(super) fn refuse(script: &Script, call: &Call) -> Option<Response> {
    if call.body.is_null() {
        return Some(bad_request("the body is no JSON"));
    }
    let sent = call.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Some(key) = &script.key
        && sent.strip_prefix("Bearer ") != Some(key)
    {
        // As careless as some real servers: the key is repeated in full.
        let message = format!("Incorrect API key provided: {sent}");
        return Some(answer(&Refusal { status: 401, message, ..Refusal::default() }));
    }
    if let Some(parameter) = script.refuses.iter().find(|parameter| call.body.get(parameter).is_some()) {
        let instead = if parameter == "max_tokens" { " Use 'max_completion_tokens' instead." } else { "" };
        return Some(bad_request(&format!(
            "Unsupported parameter: '{parameter}' is not supported.{instead}"
        )));
    }
    script.refusal.as_ref().map(answer)
}

pub(super) fn bad_request(message: &str) -> Response {
    answer(&Refusal { status: 400, message: message.to_owned(), ..Refusal::default() })
}

/// As servers with a limit of their own refuse.
pub(super) fn too_many_texts(count: usize, most: usize) -> Response {
    let message = format!("batch size {count} > maximum allowed batch size {most}");
    answer(&Refusal { status: 413, message, ..Refusal::default() })
}

fn answer(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap();
    let error = json!({"error": {"message": refusal.message, "type": "fake_error", "param": null, "code": refusal.code}});
    let page = format!("<html><body>{} {}</body></html>", refusal.status, refusal.message);
    let mut response = if refusal.html {
        (status, Html(page)).into_response()
    } else {
        (status, Json(error)).into_response()
    };
    for (name, value) in &refusal.headers {
        let name: HeaderName = name.parse().unwrap();
        response.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    }
    response
}
