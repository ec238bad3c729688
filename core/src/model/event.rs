//! Numbered events of a stream.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
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
        let written = Written { name, seq, head, body };
        let data = serde_json::to_string(&written).unwrap_or_default(); // texts as keys: cannot fail
        Self { seq, name: shared(name), data: data.into() }
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

/// An event's JSON object, member by member: one is written for each piece of an answer.
struct Written<'a> {
    name: &'a str,
    seq: u64,
    head: &'a [(&'a str, Value)],
    body: Map<String, Value>,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("type", self.name)?;
        object.serialize_entry("sequence_number", &self.seq)?;
        for (key, value) in self.head.iter().filter(|(key, _)| !self.body.contains_key(*key)) {
            object.serialize_entry(key, value)?;
        }
        for (key, value) in &self.body {
            object.serialize_entry(key, value)?;
        }
        object.end()
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

    #[test]
    fn has_each_member_once() {
        let body =
            Map::from_iter([("attempt".to_owned(), Value::from(2)), ("reason".to_owned(), "lost".into())]);
        let event =
            Event::new("response.restarted", 7, &[("attempt", 1.into()), ("response_id", "r".into())], body);
        assert_eq!(
            &*event.data,
            r#"{"type":"response.restarted","sequence_number":7,"response_id":"r","attempt":2,"reason":"lost"}"#
        );
    }
}
