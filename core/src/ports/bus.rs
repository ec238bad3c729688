use crate::{Event, Fence, JobId, PortResult, StreamId, WorkerId};
use async_trait::async_trait;
use futures::stream::BoxStream;

/// A message to workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Stop this job.
    Cancel {
        /// The job.
        job: JobId,
        /// Who runs it.
        worker: WorkerId,
    },
}

/// What a reader finds after the last event that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// The next events, in order.
    Events(Vec<Event>),
    /// The bus no longer has them, or never had: read the log in SQL, then ask again.
    Behind,
}

/// A reader of one stream. While it lives, nothing that is published after its creation is missed.
#[async_trait]
pub trait Follower: Send {
    /// Waits for events after `after`. `Behind` is answered at once if what the bus holds does not follow `after`.
    async fn next(&mut self, after: u64) -> PortResult<Tail>;
}

/// Live events and control messages. It may lose everything: SQL has the events too.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Makes `fence` the only writer of a stream: what earlier claims publish from now on is dropped. Answers with the
    /// highest number that the bus has seen in it, if it knows the stream.
    async fn seize(&self, stream: StreamId, fence: Fence) -> Option<u64>;
    /// Publishes numbered events to who follows. With a fence that was superseded, nothing is published.
    async fn publish(&self, stream: StreamId, fence: Option<Fence>, events: &[Event]);
    /// Events up to this number are in SQL: the bus need not keep them.
    fn persisted(&self, stream: StreamId, seq: u64);
    /// A reader of this stream.
    async fn follow(&self, stream: StreamId) -> PortResult<Box<dyn Follower>>;
    /// Tells every worker.
    async fn control(&self, message: Control);
    /// What workers are told.
    async fn controls(&self) -> PortResult<BoxStream<'static, Control>>;
    /// Whether the bus answers.
    async fn ping(&self) -> PortResult<()>;
}
