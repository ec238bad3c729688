use async_trait::async_trait;
use chat_core::{
    Event, Fence, PortError, PortResult, StreamId,
    ports::{Bus, Control, Follower, Tail},
};
use futures::stream::{BoxStream, StreamExt};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

#[derive(Default, Clone)]
struct Log {
    fence: Option<Fence>,
    events: Vec<Event>,
    persisted: u64,
}

/// Events in memory; it can forget everything, as a real one may.
#[derive(Default, Clone)]
pub struct FakeBus(Arc<Mutex<HashMap<StreamId, Log>>>);

impl FakeBus {
    /// Loses everything.
    pub fn forget(&self) {
        self.0.lock().unwrap().clear();
    }

    /// What readers of a stream have seen.
    pub fn seen(&self, stream: impl Into<StreamId>) -> Vec<Event> {
        self.0.lock().unwrap().get(&stream.into()).map(|log| log.events.clone()).unwrap_or_default()
    }

    /// Up to which number the writer said that events are stored.
    pub fn persisted_to(&self, stream: impl Into<StreamId>) -> u64 {
        self.0.lock().unwrap().get(&stream.into()).map_or(0, |log| log.persisted)
    }
}

#[async_trait]
impl Bus for FakeBus {
    async fn seize(&self, stream: StreamId, fence: Fence) -> Option<u64> {
        let mut logs = self.0.lock().unwrap();
        let log = logs.entry(stream).or_default();
        log.fence = Some(fence);
        log.events.last().map(|event| event.seq)
    }

    async fn publish(&self, stream: StreamId, fence: Option<Fence>, events: &[Event]) {
        let mut logs = self.0.lock().unwrap();
        let log = logs.entry(stream).or_default();
        if fence.is_some() && log.fence.is_some() && fence != log.fence {
            return;
        }
        for event in events {
            let last = log.events.last().map_or(0, |last| last.seq);
            assert!(event.seq > last, "{} was published after {last}", event.seq);
            log.events.push(event.clone());
        }
    }

    fn persisted(&self, stream: StreamId, seq: u64) {
        if let Some(log) = self.0.lock().unwrap().get_mut(&stream) {
            log.persisted = log.persisted.max(seq);
        }
    }

    async fn follow(&self, stream: StreamId) -> PortResult<Box<dyn Follower>> {
        Ok(Box::new(Reader(self.clone(), stream)))
    }

    async fn control(&self, _message: Control) {}

    async fn controls(&self) -> PortResult<BoxStream<'static, Control>> {
        Ok(futures::stream::pending().boxed())
    }

    async fn ping(&self) -> PortResult<()> {
        Ok(())
    }
}

struct Reader(FakeBus, StreamId);

#[async_trait]
impl Follower for Reader {
    async fn next(&mut self, after: u64) -> PortResult<Tail> {
        let events: Vec<_> = self.0.seen(self.1).into_iter().filter(|event| event.seq > after).collect();
        match events.first() {
            Some(first) if first.seq == after + 1 => Ok(Tail::Events(events)),
            Some(_) => Ok(Tail::Behind),
            None => Err(PortError::unavailable("a reader would wait here")),
        }
    }
}
