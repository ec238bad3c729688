//! Lanes in process: per lane a shallow priority queue, waiters that are woken at once, and a relay that is told
//! when a lane with a backlog runs low.

mod promises;
mod queue;

use async_trait::async_trait;
use chat_core::{JobId, Lane, PortResult, Ready, Timestamp, ports::Lanes};
use queue::Queue;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Job ids on their way to the workers of this process. One relay feeds them.
#[derive(Debug, Default)]
pub struct MemoryLanes {
    lanes: [LaneCell; Lane::ALL.len()],
    /// The earliest due time that the relay has not been told yet.
    due: Mutex<Option<Timestamp>>,
    /// Wakes the relay.
    relay: Notify,
}

#[derive(Debug, Default)]
struct LaneCell {
    queue: Mutex<Queue>,
    /// Wakes one waiter. A permit is kept if none waits, and a waiter that leaves something wakes the next one,
    /// so no id lies in a queue while somebody waits.
    waiters: Notify,
}

impl LaneCell {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        locked(&self.queue)
    }
}

/// A panic elsewhere leaves queues valid: every change to them is a single step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryLanes {
    /// Empty lanes without slots: nothing goes in directly until `set_slots`.
    pub fn new() -> Self {
        Self::default()
    }

    fn cell(&self, lane: Lane) -> &LaneCell {
        &self.lanes[lane as usize]
    }

    /// What the relay has to do now, if anything. An empty list: an earlier due time became known.
    fn relay_work(&self, next_due: Option<Timestamp>) -> Option<Vec<(Lane, usize)>> {
        let earlier = locked(&self.due).take().is_some_and(|at| next_due.is_none_or(|next| at < next));
        let feed: Vec<_> = Lane::ALL
            .into_iter()
            .filter_map(|lane| self.cell(lane).queue().begin_feed().map(|room| (lane, room)))
            .collect();
        (earlier || !feed.is_empty()).then_some(feed)
    }
}

#[async_trait]
impl Lanes for MemoryLanes {
    /// A yes is a promise of a place, so that many who ask before they offer do not flood the lane.
    fn has_room(&self, lane: Lane) -> bool {
        self.cell(lane).queue().promise()
    }

    async fn offer(&self, ready: Ready) {
        let cell = self.cell(ready.lane);
        cell.queue().push(ready.priority, ready.job);
        cell.waiters.notify_one();
    }

    async fn take(&self, lane: Lane, max: usize) -> PortResult<Vec<JobId>> {
        let cell = self.cell(lane);
        loop {
            let (taken, left, low) = {
                let mut queue = cell.queue();
                (queue.pop(max), !queue.is_empty(), queue.wants_food())
            };
            if !taken.is_empty() || max == 0 {
                if left {
                    cell.waiters.notify_one();
                }
                if low {
                    self.relay.notify_waiters();
                }
                return Ok(taken);
            }
            cell.waiters.notified().await;
        }
    }

    fn backlog(&self, lane: Lane) {
        if self.cell(lane).queue().announce_backlog() {
            self.relay.notify_waiters();
        }
    }

    fn due(&self, at: Timestamp) {
        let mut due = locked(&self.due);
        *due = Some(due.map_or(at, |known| known.min(at)));
        drop(due);
        self.relay.notify_waiters();
    }

    async fn hungry(&self, next_due: Option<Timestamp>) -> Vec<(Lane, usize)> {
        loop {
            // Created before the check: what happens between check and wait wakes it all the same.
            let told = self.relay.notified();
            if let Some(work) = self.relay_work(next_due) {
                return work;
            }
            told.await;
        }
    }

    fn drained(&self, lane: Lane) {
        self.cell(lane).queue().end_backlog();
    }

    fn set_slots(&self, lane: Lane, slots: usize) {
        if self.cell(lane).queue().set_slots(slots) {
            self.relay.notify_waiters();
        }
    }

    async fn ping(&self) -> PortResult<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)] // tests await their own tasks
mod tests;
