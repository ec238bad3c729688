//! The queue of one lane, and what is known of its backlog in SQL.

use super::promises::Promises;
use chat_core::{
    JobId,
    ports::{Announced, Work},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// By priority, highest first; within one, in the order of arrival. No queue in it is empty.
    by_priority: BTreeMap<Reverse<i16>, VecDeque<JobId>>,
    queued: usize,
    promises: Promises,
    /// How many ids the workers of this process can take at once; 0: there are none.
    slots: usize,
    /// SQL holds jobs that were not offered.
    backlog: bool,
    /// Counts the announcements of a backlog.
    announced: u64,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.queued == 0
    }

    /// Twice what the workers can take: shallow, so that SQL decides the order, and deep enough for a burst.
    fn capacity(&self) -> usize {
        self.slots * 2
    }

    /// Whether an id may go in directly; if so, its place is kept for it.
    pub(super) fn promise(&mut self) -> bool {
        if self.backlog || self.slots == 0 {
            return false;
        }
        let now = Instant::now();
        let fits = self.queued + self.promises.count(now) < self.capacity();
        if fits {
            self.promises.make(now);
        }
        fits
    }

    pub(super) fn push(&mut self, priority: i16, job: JobId) {
        self.promises.redeem();
        self.by_priority.entry(Reverse(priority)).or_default().push_back(job);
        self.queued += 1;
    }

    /// Ids before a backlog: they were there first.
    pub(super) fn take(&mut self, max: usize) -> Option<Work> {
        if self.queued > 0 {
            return Some(Work::Offered(self.pop(max)));
        }
        self.backlog.then_some(Work::Backlog(Announced(self.announced)))
    }

    /// Takes at most `max` ids, highest priority first.
    fn pop(&mut self, max: usize) -> Vec<JobId> {
        let mut taken = Vec::with_capacity(max.min(self.queued));
        while taken.len() < max {
            let Some(mut first) = self.by_priority.first_entry() else { break };
            let jobs = first.get_mut();
            let some = jobs.len().min(max - taken.len());
            taken.extend(jobs.drain(..some));
            if jobs.is_empty() {
                first.remove();
            }
        }
        self.queued -= taken.len();
        taken
    }

    pub(super) fn announce_backlog(&mut self) {
        self.backlog = true;
        self.announced += 1;
    }

    /// SQL was found empty; what was announced since still waits there.
    pub(super) fn end_backlog(&mut self, seen: Announced) {
        if seen.0 == self.announced {
            self.backlog = false;
        }
    }

    pub(super) fn set_slots(&mut self, slots: usize) {
        self.slots = slots;
    }
}
