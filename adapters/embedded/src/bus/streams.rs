//! Which streams there are.

use super::log::Log;
use chat_core::StreamId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// A stream that nobody wrote to for so long is forgotten, if nobody reads it: SQL has its events.
const IDLE: Duration = Duration::from_mins(10);
/// How many unfinished streams without a reader stay, however recent.
const MOST_UNREAD: usize = 20_000;
/// How many streams have to be new before it is worth looking for old ones.
const SWEEP_AFTER: usize = 256;

/// One stream: its log, and who waits for it.
#[derive(Debug)]
pub(super) struct Stream {
    log: Mutex<Log>,
    changed: Notify,
}

impl Stream {
    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the readers of this stream, and only those.
    pub(super) fn wake(&self) {
        self.changed.notify_waiters();
    }

    /// Ends with the next `wake` after this call, whether or not it is polled by then.
    pub(super) fn changed(&self) -> impl Future<Output = ()> + '_ {
        self.changed.notified()
    }
}

#[derive(Debug, Default)]
pub(super) struct Streams {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_id: HashMap<StreamId, Arc<Stream>>,
    since_sweep: usize,
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self) -> usize {
        self.lock().by_id.len()
    }

    pub(super) fn find(&self, id: StreamId) -> Option<Arc<Stream>> {
        self.lock().by_id.get(&id).cloned()
    }

    /// The stream, made if need be.
    pub(super) fn open(&self, id: StreamId) -> Arc<Stream> {
        let mut open = self.lock();
        if let Some(known) = open.by_id.get(&id) {
            return known.clone();
        }
        open.make_room();
        let fresh = Arc::new(Stream { log: Mutex::new(Log::new()), changed: Notify::new() });
        open.by_id.insert(id, fresh.clone());
        fresh
    }

    /// Forgets a stream if it is finished and nobody holds it.
    pub(super) fn forget_finished(&self, id: StreamId) {
        let mut open = self.lock();
        if open.by_id.get(&id).is_some_and(|stream| unread(stream) && stream.log().is_finished()) {
            open.by_id.remove(&id);
        }
    }
}

/// Nobody but the map holds it. Under the map's lock nobody can come to hold it.
fn unread(stream: &Arc<Stream>) -> bool {
    Arc::strong_count(stream) == 1
}

impl Open {
    /// Sweeps once in a while, so that each insertion pays a bounded share.
    fn make_room(&mut self) {
        self.since_sweep += 1;
        if self.since_sweep < SWEEP_AFTER.max(self.by_id.len() / 2) {
            return;
        }
        self.since_sweep = 0;
        self.sweep(Instant::now());
    }

    fn sweep(&mut self, now: Instant) {
        let is_old = |log: &Log| log.is_finished() || now.duration_since(log.touched) > IDLE;
        self.by_id.retain(|_, stream| !unread(stream) || !is_old(&stream.log()));
        let mut unread: Vec<_> = self
            .by_id
            .iter()
            .filter(|(_, stream)| unread(stream))
            .map(|(id, stream)| (stream.log().touched, *id))
            .collect();
        if unread.len() > MOST_UNREAD {
            unread.sort_unstable();
            for (_, id) in &unread[..unread.len() - MOST_UNREAD] {
                self.by_id.remove(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_core::{Event, Fence};
    use serde_json::Map;
    use uuid::Uuid;

    #[test]
    fn an_idle_stream_goes_and_a_read_one_stays() {
        let streams = Streams::default();
        let (idle, read) = (StreamId(Uuid::from_u128(1)), StreamId(Uuid::from_u128(2)));
        for id in [idle, read] {
            let delta = Event::new("response.output_text.delta", 1, &[], Map::new());
            streams.open(id).log().append(Some(Fence::new()), &[delta]);
        }
        let reader = streams.open(read);
        streams.lock().sweep(Instant::now());
        assert_eq!(streams.count(), 2);
        streams.lock().sweep(Instant::now() + IDLE * 2);
        assert!(streams.find(idle).is_none());
        drop(reader);
        assert!(streams.find(read).is_some());
    }
}
