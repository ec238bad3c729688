//! The queue of one lane, and what is known of its backlog in SQL.

use super::promises::Promises;
use chat_core::JobId;
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
    /// SQL holds jobs that were not handed out.
    backlog: bool,
    /// Counts the announcements of a backlog.
    announced: u64,
    /// `announced` as it was when the last hand-out began: "there is no more" speaks of that moment.
    feeding: u64,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.queued == 0
    }

    /// Twice what the workers can take: shallow, so that SQL decides the order, and deep enough that no slot
    /// waits for the relay.
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

    /// Takes at most `max` ids, highest priority first.
    pub(super) fn pop(&mut self, max: usize) -> Vec<JobId> {
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

    /// Whether the relay should bring more.
    pub(super) fn wants_food(&self) -> bool {
        self.backlog && self.slots > 0 && self.queued <= self.slots
    }

    /// How many ids the relay may bring, if it should; begins a hand-out.
    pub(super) fn begin_feed(&mut self) -> Option<usize> {
        self.wants_food().then(|| {
            self.feeding = self.announced;
            self.capacity() - self.queued
        })
    }

    /// Returns whether the relay is to be woken.
    pub(super) fn announce_backlog(&mut self) -> bool {
        self.backlog = true;
        self.announced += 1;
        self.wants_food()
    }

    /// The last hand-out emptied SQL; what was announced since it began still waits there.
    pub(super) fn end_backlog(&mut self) {
        if self.feeding == self.announced {
            self.backlog = false;
        }
    }

    /// Returns whether the relay is to be woken.
    pub(super) fn set_slots(&mut self, slots: usize) -> bool {
        self.slots = slots;
        self.wants_food()
    }
}
