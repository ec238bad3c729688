use crate::{JobId, Lane, PortResult, Ready, Timestamp};
use async_trait::async_trait;

/// Hands job ids to waiting workers: each at least once. Lanes are shallow; the backlog is in SQL.
#[async_trait]
pub trait Lanes: Send + Sync {
    /// Whether an id may go in directly: there is room, and no backlog that it would overtake.
    fn has_room(&self, lane: Lane) -> bool;
    /// Puts an id in and wakes a waiter at once. What does not fit or gets lost is offered again by the relay.
    async fn offer(&self, ready: Ready);
    /// Waits for ids and takes at most `max` of them, highest priority first.
    async fn take(&self, lane: Lane, max: usize) -> PortResult<Vec<JobId>>;
    /// Says that SQL holds jobs of this lane which were not handed out.
    fn backlog(&self, lane: Lane);
    /// Says that a job waits for this time.
    fn due(&self, at: Timestamp);
    /// Waits until a lane with a backlog runs low, or until told of an earlier due time than `next_due`;
    /// names the lanes to feed and how many ids each can take.
    async fn hungry(&self, next_due: Option<Timestamp>) -> Vec<(Lane, usize)>;
    /// Says that SQL holds no more jobs of this lane to be handed out.
    fn drained(&self, lane: Lane);
    /// Says how many ids the workers of this process can take from a lane at once.
    fn set_slots(&self, lane: Lane, slots: usize);
    /// Whether the lanes answer.
    async fn ping(&self) -> PortResult<()>;
}
