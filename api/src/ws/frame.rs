//! What a client sends and gets.

use crate::{json, problem::Problem};
use serde_json::{Map, Value, json};

/// A request.
pub(super) struct Frame {
    /// Comes back with the answer, whatever it is.
    pub(super) id: Option<Value>,
    /// What is asked for; `None`: it does not say.
    pub(super) kind: Option<String>,
    /// The other members.
    pub(super) members: Map<String, Value>,
}

impl Frame {
    /// Reads a text frame.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let mut members = json::object("frame", text.as_bytes())?;
        let id = members.remove("id");
        let kind = members.remove("type").and_then(|kind| kind.as_str().map(str::to_owned));
        Ok(Self { id, kind, members })
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
