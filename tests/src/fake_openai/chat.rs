//! `POST /v1/chat/completions`.

use super::{
    Call, Inner, Script,
    refusal::{bad_request, refuse},
    stream, wire,
};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::{future::pending, sync::Arc};

pub(super) async fn complete(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let call = inner.journal.call("/v1/chat/completions", headers, body);
    let script = match script(&inner, &call, call.asked()) {
        Ok(script) => script,
        Err(refused) => return *refused,
    };
    if script.hang_headers {
        // Opened here, as there will be no body whose end could be seen.
        let _guard = inner.journal.stream(&call);
        return pending().await;
    }
    let (words, finish) = answer(&script, &call);
    if script.whole || call.body["stream"] != true {
        return whole(&call, &words.concat(), finish.as_deref());
    }
    let told = script.told.clone();
    let body = stream::body(&inner, script, &call, words, finish);
    let mut response = ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response();
    add_headers(&mut response, &told);
    response
}

/// The script for this request; the refusal if there is one.
pub(super) fn script(inner: &Inner, call: &Call, text: &str) -> Result<Script, Box<Response>> {
    let mut script = inner.script.lock().unwrap().clone();
    let key = call.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let model = call.body["model"].as_str().unwrap_or_default();
    for source in [key, model, text] {
        script.apply_markers(source).map_err(|error| Box::new(bad_request(&error)))?;
    }
    refuse(&script, call).map_or(Ok(script), |refused| Err(Box::new(refused)))
}

/// The words to say and the reason to stop: `max_tokens` is kept to.
fn answer(script: &Script, call: &Call) -> (Vec<String>, Option<String>) {
    let mut words = wire::pieces(&script.say.clone().unwrap_or_else(|| echo(call.asked())));
    let limit = ["max_tokens", "max_completion_tokens"].iter().find_map(|name| call.body[name].as_u64());
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    if script.endless || words.len() <= limit {
        return (words, script.finish.clone());
    }
    words.truncate(limit);
    (words, script.finish.as_ref().map(|_| "length".to_owned()))
}

pub(super) fn add_headers(response: &mut Response, headers: &[(String, String)]) {
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        response.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    }
}

fn echo(asked: &str) -> String {
    let question = asked.split("[[fake:").next().unwrap_or_default().trim();
    let last: String = question.lines().last().unwrap_or_default().chars().take(200).collect();
    format!("This is a fake answer [1]. You asked: {last}")
}

fn whole(call: &Call, text: &str, finish: Option<&str>) -> Response {
    Json(json!({
        "id": format!("chatcmpl-{}", call.id), "object": "chat.completion", "created": 1, "model": call.body["model"],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": wire::usage(&call.body, wire::pieces(text).len()),
    }))
    .into_response()
}
