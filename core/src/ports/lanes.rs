use crate::{JobId, Lane, PortResult, Ready, Timestamp};
use async_trait::async_trait;

/// What a lane has for a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Jobs that were offered, highest priority first.
    Offered(Vec<JobId>),
    /// SQL holds jobs that were not offered to anybody: they are claimed there, in fair order.
    Backlog(Announced),
}

/// Which announcement of a backlog is followed: "there is no more" speaks of that one and those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced(pub u64);

/// Wakes workers: hands each offered job id to one of them at least once, and says which lanes have a backlog in SQL.
/// Lanes are shallow: what does not go in directly waits in SQL, whose order counts.
#[async_trait]
pub trait Lanes: Send + Sync {
    /// Whether an id may go in directly: there is room, and no backlog that it would overtake.
    fn has_room(&self, lane: Lane) -> bool;
    /// Puts an id in and wakes a waiter at once. What gets lost comes back as a backlog.
    async fn offer(&self, ready: Ready);
    /// Waits for work: at most `max` ids that were offered; only when there are none, a backlog. For one caller at a
    /// time and lane.
    async fn take(&self, lane: Lane, max: usize) -> PortResult<Work>;
    /// Says that SQL holds jobs of this lane which were not offered.
    fn backlog(&self, lane: Lane);
    /// Says that SQL held no more of them after this announcement.
    fn drained(&self, lane: Lane, announced: Announced);
    /// Says that a job waits for this time.
    fn due(&self, at: Timestamp);
    /// Waits until told of an earlier due time than `known`.
    async fn due_before(&self, known: Option<Timestamp>);
    /// Says how many ids the workers of this process can take from a lane at once.
    fn set_slots(&self, lane: Lane, slots: usize);
    /// Whether the lanes answer.
    async fn ping(&self) -> PortResult<()>;
}
