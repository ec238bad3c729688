//! Numbers the events of one claim.

use chat_core::{Event, ResponseId};
use serde_json::{Map, Value};

/// How far the numbers jump when the bus has forgotten a stream: more than can ever be published without being in
/// SQL, so that no reader sees one number with two contents.
pub const JUMP: u64 = 1024;

/// The number of `response.queued`, which the API writes when it accepts a turn: as long as the log has no more, nothing
/// more was published.
pub const QUEUED: u64 = 1;

/// Writes events with the members that all of a claim's events have.
#[derive(Debug)]
pub struct Numbers {
    head: [(&'static str, Value); 2],
    next: u64,
}

impl Numbers {
    /// Numbers from `next` on.
    pub fn new(response: ResponseId, attempt: u32, next: u64) -> Self {
        Self { head: [("response_id", response.to_string().into()), ("attempt", attempt.into())], next }
    }

    /// The next event.
    pub fn event(&mut self, name: &str, body: Map<String, Value>) -> Event {
        let event = Event::new(name, self.next, &self.head, body);
        self.next += 1;
        event
    }
}
