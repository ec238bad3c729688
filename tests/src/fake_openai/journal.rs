//! What the fake was asked, and how its streams ended.

use axum::http::HeaderMap;
use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Instant,
};

/// Kept calls: bodies are large in benchmarks.
const CALLS: usize = 2_000;
const STREAMS: usize = 100_000;

/// A request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its number, from 1.
    pub id: u64,
    /// When it came.
    pub at: Instant,
    /// Such as `/v1/embeddings`.
    pub path: &'static str,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; null if it was no JSON.
    pub body: Value,
}

impl Call {
    /// The last user message; empty if there is none.
    pub fn asked(&self) -> &str {
        let messages = self.body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let user = messages.iter().rev().find(|message| message["role"] == "user");
        user.and_then(|message| message["content"].as_str()).unwrap_or_default()
    }
}

/// A stream, from its request on.
#[derive(Debug, Clone)]
pub struct StreamRecord {
    /// The call's number.
    pub id: u64,
    /// When the request came: token `n` is due `first_token + n * per_token` later.
    pub opened: Instant,
    /// When the fake let go of it: the client's connection was closed, or everything was sent.
    pub closed: Option<Instant>,
    /// Whether everything was sent that the script wanted.
    pub complete: bool,
    /// Tokens that were sent.
    pub tokens: usize,
}

impl StreamRecord {
    /// When the client went away before the end, if it did.
    pub fn left(&self) -> Option<Instant> {
        self.closed.filter(|_| !self.complete)
    }
}

/// All of it, the oldest dropped beyond 2,000 calls and 100,000 streams.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    last: u64,
    calls: VecDeque<Call>,
    streams: VecDeque<StreamRecord>,
}

impl Journal {
    /// The calls, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().calls.iter().cloned().collect()
    }

    /// How many calls there were, dropped ones included.
    pub fn count(&self) -> u64 {
        self.0.lock().unwrap().last
    }

    /// The streams, oldest first.
    pub fn streams(&self) -> Vec<StreamRecord> {
        self.0.lock().unwrap().streams.iter().cloned().collect()
    }

    /// How many streams are open.
    pub fn open(&self) -> usize {
        self.0.lock().unwrap().streams.iter().filter(|stream| stream.closed.is_none()).count()
    }

    /// Forgets everything but the numbers.
    pub fn clear(&self) {
        let mut entries = self.0.lock().unwrap();
        entries.calls.clear();
        entries.streams.clear();
    }

    pub(super) fn call(&self, path: &'static str, headers: HeaderMap, body: Value) -> Call {
        let mut entries = self.0.lock().unwrap();
        entries.last += 1;
        let call = Call { id: entries.last, at: Instant::now(), path, headers, body };
        if entries.calls.len() == CALLS {
            entries.calls.pop_front();
        }
        entries.calls.push_back(call.clone());
        call
    }

    pub(super) fn stream(&self, call: &Call) -> StreamGuard {
        let mut entries = self.0.lock().unwrap();
        if entries.streams.len() == STREAMS {
            entries.streams.pop_front();
        }
        let record = StreamRecord { id: call.id, opened: call.at, closed: None, complete: false, tokens: 0 };
        entries.streams.push_back(record);
        StreamGuard { journal: self.clone(), id: call.id, complete: false, tokens: 0 }
    }

    fn close(&self, guard: &StreamGuard) {
        let closed = Some(Instant::now());
        let mut entries = self.0.lock().unwrap();
        // Numbers ascend, though two calls at once may open their streams the other way round.
        let found = entries.streams.iter_mut().rev().find(|stream| stream.id == guard.id);
        if let Some(stream) = found {
            stream.closed = closed;
            stream.complete = guard.complete;
            stream.tokens = guard.tokens;
        }
    }
}

/// Lives in the stream's body, which the server drops as soon as the client is gone.
pub(super) struct StreamGuard {
    journal: Journal,
    id: u64,
    pub(super) complete: bool,
    pub(super) tokens: usize,
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        self.journal.clone().close(self);
    }
}
