//! Numbered events of a stream.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::{Arc, LazyLock};
use uuid::Uuid;

/// The name of nearly every event of an answer: held once, not once an event.
static DELTA: LazyLock<Arc<str>> = LazyLock::new(|| "response.output_text.delta".into());

/// Names one stream: a response, or one version of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub Uuid);

impl From<crate::ResponseId> for StreamId {
    fn from(id: crate::ResponseId) -> Self {
        Self(id.0)
    }
}

impl From<crate::VersionId> for StreamId {
    fn from(id: crate::VersionId) -> Self {
        Self(id.0)
    }
}

/// One event, written once: the same bytes go to the database, the bus and every client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// From 1, without a gap; of a document's later versions from [`crate::Version::events_before`] on.
    pub seq: u64,
    /// The type, for instance `response.output_text.delta`.
    pub name: Arc<str>,
    /// The JSON object as clients receive it.
    pub data: Arc<str>,
}

impl Event {
    /// Writes an event: `body` and the members that every event has.
    pub fn new(name: &str, seq: u64, head: &[(&str, Value)], body: Map<String, Value>) -> Self {
        let mut object = Map::with_capacity(body.len() + head.len() + 2);
        object.insert("type".into(), name.into());
        object.insert("sequence_number".into(), seq.into());
        for (key, value) in head {
            object.insert((*key).into(), value.clone());
        }
        object.extend(body);
        Self { seq, name: shared(name), data: Value::Object(object).to_string().into() }
    }

    /// Reads an event back from the JSON object that clients receive.
    pub fn from_data(data: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(rename = "type", borrow)]
            name: std::borrow::Cow<'a, str>,
            sequence_number: u64,
        }
        let head: Head<'_> = serde_json::from_str(data).ok()?;
        Some(Self { seq: head.sequence_number, name: shared(&head.name), data: data.into() })
    }

    /// Whether nothing follows it.
    pub fn is_terminal(&self) -> bool {
        is_terminal(&self.name)
    }
}

fn shared(name: &str) -> Arc<str> {
    if name == &**DELTA { DELTA.clone() } else { name.into() }
}

/// Whether an event of this type ends its stream.
pub fn is_terminal(name: &str) -> bool {
    matches!(
        name,
        "response.completed"
            | "response.incomplete"
            | "response.failed"
            | "response.cancelled"
            | "document.completed"
            | "document.failed"
            | "document.cancelled"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote() {
        let body = Map::from_iter([("delta".to_owned(), Value::from("你好"))]);
        let event = Event::new("response.output_text.delta", 7, &[("attempt", 1.into())], body);
        assert_eq!(Event::from_data(&event.data).unwrap(), event);
        assert!(!event.is_terminal());
    }
}
