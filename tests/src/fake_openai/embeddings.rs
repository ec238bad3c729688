//! `POST /v1/embeddings`: vectors that depend on the text alone.

use super::{
    Inner, Script,
    chat::script,
    refusal::{bad_request, too_many_texts},
    wire::pieces,
};
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::{future::pending, sync::Arc};

pub(super) async fn embed(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let call = inner.journal.call("/v1/embeddings", headers, body);
    let texts = texts(&call.body["input"]);
    let script = match script(&inner, &call, &texts.concat()) {
        Ok(script) => script,
        Err(refused) => return *refused,
    };
    if script.hang_headers {
        let _guard = inner.journal.stream(&call);
        return pending().await;
    }
    if texts.is_empty() || texts.iter().any(|text| text.is_empty()) {
        return bad_request("'input' must be a text or texts, none empty");
    }
    if texts.len() > script.most_texts {
        return too_many_texts(texts.len(), script.most_texts);
    }
    if let Some(part) = &script.no_text
        && texts.iter().any(|text| text.contains(part))
    {
        return bad_request("a text is too long");
    }
    let dims =
        call.body["dimensions"].as_u64().and_then(|dims| usize::try_from(dims).ok()).unwrap_or(script.dims);
    let base64 = script.base64 || call.body["encoding_format"] == "base64";
    let read: usize = texts.iter().map(|text| pieces(text).len()).sum();
    let mut usage = json!({"usage": {"prompt_tokens": read, "total_tokens": read}});
    let data = data(&script, &texts, dims, base64);
    let mut answer = json!({"object": "list", "model": call.body["model"], "data": data});
    if script.usage {
        answer["usage"] = usage["usage"].take();
    }
    Json(answer).into_response()
}

fn texts(input: &Value) -> Vec<&str> {
    match input {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn data(script: &Script, texts: &[&str], dims: usize, base64: bool) -> Vec<Value> {
    let mut vectors: Vec<Vec<f32>> = texts.iter().map(|text| vector(text, dims)).collect();
    if let Some(last) = vectors.last_mut() {
        if script.zero {
            last.fill(0.0);
        }
        if script.ragged {
            last.pop();
        }
    }
    if script.short {
        vectors.pop();
    }
    let items = vectors.iter().enumerate().map(|(index, vector)| {
        let embedding = if base64 { Value::from(encode(vector)) } else { Value::from(vector.clone()) };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    });
    let mut data: Vec<Value> = items.collect();
    if script.shuffle {
        data.reverse();
    }
    data
}

/// Not of unit length: that is the client's work.
fn vector(text: &str, dims: usize) -> Vec<f32> {
    // FNV-1a as the seed, then splitmix64: spread evenly, the same on every machine.
    let mut state = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let numbers = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / 8_388_608.0 - 1.0
    });
    numbers.take(dims).collect()
}

/// Little-endian numbers in base64.
fn encode(vector: &[f32]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}
