//! Live events and control messages in process.

mod follower;
mod log;
mod streams;

use async_trait::async_trait;
use chat_core::{
    Event, Fence, PortResult, StreamId,
    ports::{Bus, Control, Follower},
};
use follower::StreamFollower;
use futures::{StreamExt, stream, stream::BoxStream};
use std::sync::Arc;
use streams::Streams;
use tokio::sync::broadcast::{self, error::RecvError};

/// How many control messages a reader may be late by.
const CONTROL_BUFFER: usize = 4_096;

/// Events of streams that are being written or read, in the memory of this process.
#[derive(Debug, Clone)]
pub struct MemoryBus {
    streams: Arc<Streams>,
    control: broadcast::Sender<Control>,
}

impl MemoryBus {
    /// A bus that knows no stream.
    pub fn new() -> Self {
        Self { streams: Arc::default(), control: broadcast::channel(CONTROL_BUFFER).0 }
    }

    /// How many streams it holds at the moment.
    pub fn stream_count(&self) -> usize {
        self.streams.count()
    }
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Bus for MemoryBus {
    async fn seize(&self, stream: StreamId, fence: Fence) -> Option<u64> {
        self.streams.open(stream).log().seize(fence)
    }

    async fn publish(&self, stream: StreamId, fence: Option<Fence>, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let open = self.streams.open(stream);
        let (appended, finished) = {
            let mut log = open.log();
            (log.append(fence, events), log.is_finished())
        };
        if appended {
            open.wake();
        }
        drop(open);
        if finished {
            self.streams.forget_finished(stream);
        }
    }

    fn persisted(&self, stream: StreamId, seq: u64) {
        let Some(open) = self.streams.find(stream) else { return };
        let finished = {
            let mut log = open.log();
            log.persisted(seq);
            log.is_finished()
        };
        drop(open);
        if finished {
            self.streams.forget_finished(stream);
        }
    }

    async fn follow(&self, stream: StreamId) -> PortResult<Box<dyn Follower>> {
        Ok(Box::new(StreamFollower::new(self.streams.clone(), stream)))
    }

    async fn control(&self, message: Control) {
        // Nobody listens in a process without workers: that is no error.
        let _ = self.control.send(message);
    }

    async fn controls(&self) -> PortResult<BoxStream<'static, Control>> {
        Ok(stream::unfold(self.control.subscribe(), next_control).boxed())
    }

    async fn ping(&self) -> PortResult<()> {
        Ok(())
    }
}

async fn next_control(
    mut from: broadcast::Receiver<Control>,
) -> Option<(Control, broadcast::Receiver<Control>)> {
    loop {
        match from.recv().await {
            Ok(message) => return Some((message, from)),
            Err(RecvError::Lagged(lost)) => {
                tracing::warn!(lost, "control messages were lost: the reader was late");
            }
            Err(RecvError::Closed) => return None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)] // tests await their own tasks
mod tests;
