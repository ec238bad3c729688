//! What this process hears, and who it is for. Followed streams are mirrored in memory: readers of this process share
//! one subscription, and a reader that was told something out of order is answered as in the embedded bus.

use crate::{
    lanes::LaneBoard,
    link::Link,
    names::{Channel, Names},
    source::Source,
};
use chat_core::{
    Event, JobId, StreamId, WorkerId,
    ports::{Bus, Control},
};
use chat_embedded::MemoryBus;
use redis::Value;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

/// How many control messages a reader may be late by.
const CONTROL_BUFFER: usize = 4_096;
/// The most entries of a stream that are read again; what is older is in SQL.
const REPLAY: usize = 256;
/// How many streams are read again with one command.
const REPLAY_GROUP: usize = 64;

pub(crate) struct Hub {
    pub(crate) link: Arc<Link>,
    pub(crate) names: Arc<Names>,
    pub(crate) mirror: MemoryBus,
    pub(crate) controls: broadcast::Sender<Control>,
    board: Arc<LaneBoard>,
    followed: Mutex<HashMap<StreamId, Followed>>,
    hears: AtomicBool,
}

/// A stream that somebody in this process follows.
struct Followed {
    readers: usize,
    /// Counts the times when something may have been missed: readers look into SQL then.
    missed: watch::Sender<u64>,
}

impl Hub {
    pub(crate) fn new(link: Arc<Link>, names: Arc<Names>, board: Arc<LaneBoard>) -> Self {
        Self {
            link,
            names,
            mirror: MemoryBus::new(),
            controls: broadcast::channel(CONTROL_BUFFER).0,
            board,
            followed: Mutex::default(),
            hears: AtomicBool::new(false),
        }
    }

    pub(crate) fn source(&self) -> &Source {
        self.link.source()
    }

    /// Whether messages arrive.
    pub(crate) fn is_hearing(&self) -> bool {
        self.hears.load(Ordering::Acquire)
    }

    /// Messages do not arrive any more: readers that wait for one look into SQL from now on.
    pub(crate) fn deaf(&self) {
        self.hears.store(false, Ordering::Release);
        for followed in self.lock().values() {
            followed.missed.send_modify(|times| *times += 1);
        }
    }

    /// Messages arrive again. What was published meanwhile is read from the streams; what even they lost, from SQL.
    pub(crate) fn hears(self: Arc<Self>) {
        self.hears.store(true, Ordering::Release);
        self.board.look_everywhere();
        let streams: Vec<_> = self.lock().keys().copied().collect();
        if streams.is_empty() {
            return;
        }
        #[allow(clippy::disallowed_methods)] // bounded by the streams that are followed now
        tokio::spawn(async move {
            for group in streams.chunks(REPLAY_GROUP) {
                self.replay(group).await;
                for stream in group {
                    self.missed(*stream);
                }
            }
        });
    }

    pub(crate) async fn heard(&self, channel: &str, payload: &[u8]) {
        let Ok(text) = std::str::from_utf8(payload) else { return };
        match self.names.channel(channel) {
            // A publisher that could not reach Redis for a while says that it is back, but not what it said.
            Some(Channel::Stream(id)) if text.is_empty() => self.missed(id),
            Some(Channel::Stream(id)) => self.take_in(id, &events(text)).await,
            Some(Channel::Control) => {
                if let Some(control) = read_control(text) {
                    self.controls.send(control).ok();
                }
            }
            Some(Channel::Lanes) => self.board.heard(text),
            None => {}
        }
    }

    /// Mirrors events of a stream that is followed here.
    pub(crate) async fn take_in(&self, stream: StreamId, events: &[Event]) {
        if self.is_followed(stream) {
            self.mirror.publish(stream, None, events).await;
        }
    }

    pub(crate) fn is_followed(&self, stream: StreamId) -> bool {
        self.lock().contains_key(&stream)
    }

    fn missed(&self, stream: StreamId) {
        if let Some(followed) = self.lock().get(&stream) {
            followed.missed.send_modify(|times| *times += 1);
        }
    }

    /// One reader more; `arrange` runs before anybody can change that. Tells when something may have been missed.
    pub(crate) fn enter<T>(
        &self,
        stream: StreamId,
        arrange: impl FnOnce() -> T,
    ) -> (watch::Receiver<u64>, T) {
        let mut all = self.lock();
        let followed =
            all.entry(stream).or_insert_with(|| Followed { readers: 0, missed: watch::Sender::new(0) });
        followed.readers += 1;
        (followed.missed.subscribe(), arrange())
    }

    /// One reader less; `arrange` runs if it was the last.
    pub(crate) fn leave(&self, stream: StreamId, arrange: impl FnOnce()) {
        let mut all = self.lock();
        let Some(followed) = all.get_mut(&stream) else { return };
        followed.readers -= 1;
        if followed.readers == 0 {
            all.remove(&stream);
            arrange();
        }
    }

    /// Reads what Redis holds of these streams.
    pub(crate) async fn replay(&self, streams: &[StreamId]) {
        let read = |stream: &StreamId| {
            let mut read = redis::cmd("XREVRANGE");
            read.arg(self.names.events(*stream)).arg("+").arg("-").arg("COUNT").arg(REPLAY);
            read
        };
        match self.link.ask_each::<Entries>(&streams.iter().map(read).collect::<Vec<_>>()).await {
            Ok(found) => {
                for (stream, entries) in streams.iter().zip(found) {
                    let events: Vec<_> = entries.iter().rev().flat_map(entry_events).collect();
                    if !events.is_empty() {
                        self.take_in(*stream, &events).await;
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "streams could not be read again"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamId, Followed>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Entries of a Redis stream: an id, then names and values.
type Entries = Vec<(String, Vec<Value>)>;

fn entry_events((_, fields): &(String, Vec<Value>)) -> Vec<Event> {
    match fields.get(1) {
        Some(Value::BulkString(lines)) => std::str::from_utf8(lines).map(events).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Events as they travel: the JSON of one a line.
fn events(lines: &str) -> Vec<Event> {
    lines.lines().filter_map(Event::from_data).collect()
}

pub(crate) fn write_control(control: &Control) -> String {
    match control {
        Control::Cancel { job, worker } => format!("cancel {} {}", job.0, worker.0),
    }
}

fn read_control(text: &str) -> Option<Control> {
    let mut words = text.split(' ');
    match (words.next()?, Uuid::parse_str(words.next()?).ok()?, Uuid::parse_str(words.next()?).ok()?) {
        ("cancel", job, worker) => Some(Control::Cancel { job: JobId(job), worker: WorkerId(worker) }),
        _ => None, // of a newer version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_messages_are_read_as_they_were_written() {
        let cancel = Control::Cancel { job: JobId::new(), worker: WorkerId::new() };
        assert_eq!(read_control(&write_control(&cancel)), Some(cancel));
        assert_eq!(read_control("pause everything now"), None);
    }
}
