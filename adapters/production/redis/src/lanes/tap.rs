//! How ids get into Redis and out of it: lists of our own, or the queues of the crate `apalis-redis`.

use super::{Shared, apalis::ApalisTap, lists::ListTap};
use async_trait::async_trait;
use chat_core::{JobId, Lane};
use redis::RedisResult;
use std::sync::Arc;

/// What keeps the ids that wait in Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LaneKind {
    /// A list per lane and urgency, and commands that wait on the server.
    #[default]
    Lists,
    /// A queue of the crate `apalis-redis` per lane and urgency. Not on a cluster: one of its scripts names a key that
    /// is on another node.
    Apalis,
}

impl LaneKind {
    /// The most ids of a lane: the crate's script that moves due tasks fails for good beyond some 7,900.
    pub(crate) fn deepest(self) -> usize {
        match self {
            Self::Lists => usize::MAX,
            Self::Apalis => 2_000,
        }
    }
}

/// Takes ids of one lane for this process.
#[async_trait]
pub(super) trait Tap: Send {
    /// What is there at once, at most `max`.
    async fn take(&mut self, max: usize) -> RedisResult<Option<Taken>>;
    /// What comes within a second, or nothing.
    async fn wait(&mut self, max: usize) -> RedisResult<Option<Taken>>;
    /// Ids that nobody waits for any more go back to where they came from. If that fails they are offered again after a
    /// while.
    async fn put_back(&mut self, taken: Taken);
    /// Something failed: whatever was connected or registered is begun anew.
    fn reset(&mut self);
}

/// Ids of one urgency.
pub(super) struct Taken {
    pub(super) urgency: usize,
    pub(super) ids: Vec<JobId>,
}

pub(super) fn open(shared: Arc<Shared>, lane: Lane) -> Box<dyn Tap> {
    match shared.kind {
        LaneKind::Lists => Box::new(ListTap::new(shared, lane)),
        LaneKind::Apalis => Box::new(ApalisTap::new(shared, lane)),
    }
}
