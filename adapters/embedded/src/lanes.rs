//! Lanes in process: per lane a shallow priority queue, and waiters that are woken at once, by an id or by a backlog.

mod promises;
mod queue;

use async_trait::async_trait;
use chat_core::{
    Lane, PortResult, Ready, Timestamp,
    ports::{Announced, Lanes, Work},
};
use queue::Queue;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Job ids on their way to the workers of this process.
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

    async fn take(&self, lane: Lane, max: usize) -> PortResult<Work> {
        let cell = self.cell(lane);
        loop {
            let (work, left) = {
                let mut queue = cell.queue();
                (queue.take(max), !queue.is_empty())
            };
            if left {
                cell.waiters.notify_one();
            }
            if let Some(work) = work {
                return Ok(work);
            }
            cell.waiters.notified().await;
        }
    }

    fn backlog(&self, lane: Lane) {
        let cell = self.cell(lane);
        cell.queue().announce_backlog();
        cell.waiters.notify_one();
    }

    fn drained(&self, lane: Lane, announced: Announced) {
        self.cell(lane).queue().end_backlog(announced);
    }

    fn due(&self, at: Timestamp) {
        let mut due = locked(&self.due);
        *due = Some(due.map_or(at, |known| known.min(at)));
        drop(due);
        self.relay.notify_waiters();
    }

    async fn due_before(&self, known: Option<Timestamp>) {
        loop {
            // Created before the check: what happens between check and wait wakes it all the same.
            let told = self.relay.notified();
            if locked(&self.due).take().is_some_and(|at| known.is_none_or(|known| at < known)) {
                return;
            }
            told.await;
        }
    }

    fn set_slots(&self, lane: Lane, slots: usize) {
        self.cell(lane).queue().set_slots(slots);
    }

    async fn ping(&self) -> PortResult<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)] // tests await their own tasks
mod tests;
