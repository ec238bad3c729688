//! A response as clients see it: the same object in the terminal event and in `GET /responses/{id}`.

use chat_core::{Reference, Response};
use serde_json::{Map, Value, json};

/// Writes a response as `GET /responses/{id}` shows it.
pub fn response_json(response: &Response) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    put("id", json!(response.id));
    put("object", json!("response"));
    put("status", json!(response.status));
    put("session_id", json!(response.session));
    put("message_id", json!(response.message));
    put("job_id", json!(response.job));
    put("attempt", json!(response.attempt));
    put("model", json!(response.model));
    put("output_text", json!(response.output_text));
    put("references", response.references.iter().map(reference_json).collect());
    put("usage", json!(response.usage));
    put("timings", json!(response.timings));
    if let Some(error) = &response.error {
        put("error", json!(error));
    }
    put("created_at", json!(response.created_at));
    if let Some(at) = response.completed_at {
        put("completed_at", json!(at));
    }
    Value::Object(object)
}

/// Writes a citation as responses and messages show it.
pub fn reference_json(reference: &Reference) -> Value {
    json!({
        "index": reference.index,
        "document_id": reference.document_id,
        "chunk_id": reference.chunk_id,
        "title": reference.title,
        "text": reference.text,
        "score": shortest(reference.score),
        "start": reference.start,
        "end": reference.end,
    })
}

/// The shortest decimal that reads back as this number; a plain cast shows 0.83 as 0.8299999833106995.
pub fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| f64::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(json!(shortest(0.83)).to_string(), "0.83");
        assert_eq!(json!(shortest(-1.0)).to_string(), "-1.0");
    }
}
