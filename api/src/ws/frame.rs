//! What a client sends and gets.

use crate::problem::Problem;
use serde_json::{Map, Value, json};

/// A request.
pub(super) struct Frame {
    /// Comes back with the answer, whatever it is.
    pub(super) id: Option<Value>,
    /// What is asked for.
    pub(super) kind: String,
    /// The other members.
    pub(super) members: Map<String, Value>,
}

impl Frame {
    /// Reads a text frame.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let mut members: Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| Problem::unreadable(format!("The frame is not a JSON object: {error}")))?;
        let id = members.remove("id");
        match members.remove("type") {
            Some(Value::String(kind)) => Ok(Self { id, kind, members }),
            _ => Err(Problem::field("type", "is required and must be a text")),
        }
    }
}

/// The answer to a request that was done.
pub(super) fn ok(id: Option<Value>, more: Map<String, Value>) -> String {
    let mut answer =
        Map::from_iter([("id".to_owned(), id.unwrap_or_default()), ("type".to_owned(), "ok".into())]);
    answer.extend(more);
    Value::Object(answer).to_string()
}

/// The answer to one that was refused: what HTTP would have said.
pub(super) fn error(id: Option<&Value>, problem: &Problem) -> String {
    json!({ "id": id, "type": "error", "error": problem.to_json("/api/v1/ws") }).to_string()
}
