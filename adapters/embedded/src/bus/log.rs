//! The recent events of one stream.

use chat_core::{Event, Fence, ports::Tail};
use std::{collections::VecDeque, time::Instant};

/// How many events stay that SQL has too.
const KEPT_EVENTS: usize = 256;
/// How many bytes of events stay that SQL has too: a reader a second behind needs no query, a thousand streams
/// need little memory.
const KEPT_BYTES: usize = 6 * 1024;
/// The most events that a reader gets at once.
const BATCH: usize = 256;

/// An event with the number of the one before it, so that a jump can be told from a gap.
#[derive(Debug)]
struct Entry {
    event: Event,
    /// `None`: a restart of a stream whose past this process does not know.
    before: Option<u64>,
    /// The store numbered it, in a commit.
    committed: bool,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.event.data.len() + size_of::<Self>()
    }
}

/// What a log has after a number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// These follow, or the log's events do not follow: read SQL.
    Tail(Tail),
    /// As `Behind`; but if SQL had nothing more, the event that the log begins with is the next one.
    Unlinked,
    /// Nothing newer.
    Nothing,
}

#[derive(Debug)]
pub(super) struct Log {
    /// In the order of their numbers.
    entries: VecDeque<Entry>,
    bytes: usize,
    last: Option<u64>,
    /// The highest number that was dropped.
    dropped: u64,
    persisted: u64,
    fence: Option<Fence>,
    ended: bool,
    /// When it was last written.
    pub(super) touched: Instant,
    /// Counts what may change a reader's answer.
    pub(super) revision: u64,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            last: None,
            dropped: 0,
            persisted: 0,
            fence: None,
            ended: false,
            touched: Instant::now(),
            revision: 0,
        }
    }

    /// Makes `fence` the only writer; answers with the highest number so far.
    pub(super) fn seize(&mut self, fence: Fence) -> Option<u64> {
        self.fence = Some(fence);
        self.touched = Instant::now();
        self.last
    }

    /// Nothing more will come, and SQL has all of it.
    pub(super) fn is_finished(&self) -> bool {
        self.ended && self.entries.iter().all(|entry| self.is_durable(entry))
    }

    fn is_durable(&self, entry: &Entry) -> bool {
        entry.committed || entry.event.seq <= self.persisted
    }

    /// Takes events in, unless their writer was superseded. Returns whether readers may find something new.
    pub(super) fn append(&mut self, fence: Option<Fence>, events: &[Event]) -> bool {
        let superseded = fence.is_some() && self.fence.is_some() && fence != self.fence;
        if superseded {
            return false;
        }
        for event in events {
            self.insert(event.clone(), fence.is_none());
            self.ended |= event.is_terminal();
        }
        self.trim();
        self.touched = Instant::now();
        self.revision += 1;
        true
    }

    fn insert(&mut self, event: Event, committed: bool) {
        let seq = event.seq;
        let newest = self.last.is_none_or(|last| seq > last);
        let at =
            if newest { self.entries.len() } else { self.entries.partition_point(|one| one.event.seq < seq) };
        if self.entries.get(at).is_some_and(|one| one.event.seq == seq) {
            return self.confirm(at, event, committed);
        }
        if !newest && seq <= self.dropped {
            return; // it was here and went
        }
        let before = if newest { self.predecessor(&event) } else { Some(seq.saturating_sub(1)) };
        let entry = Entry { event, before, committed };
        self.bytes += entry.bytes();
        self.entries.insert(at, entry);
        if newest {
            self.last = Some(seq);
        }
    }

    /// A number that is here already. What the store numbered is what SQL has: it counts.
    fn confirm(&mut self, at: usize, event: Event, committed: bool) {
        if committed {
            let entry = &mut self.entries[at];
            self.bytes = self.bytes - entry.event.data.len() + event.data.len();
            entry.event = event;
            entry.committed = true;
        }
    }

    /// Which number comes before the newest event. Only a restart may jump, and only then is the link more than
    /// "one less".
    fn predecessor(&self, event: &Event) -> Option<u64> {
        if event.name.ends_with(".restarted") && event.seq > 1 {
            self.last
        } else {
            Some(event.seq.saturating_sub(1))
        }
    }

    pub(super) fn persisted(&mut self, seq: u64) {
        if seq > self.persisted {
            self.persisted = seq;
            self.revision += 1;
            self.trim();
        }
    }

    fn trim(&mut self) {
        while self.entries.len() > KEPT_EVENTS || self.bytes > KEPT_BYTES {
            match self.entries.front() {
                Some(first) if self.is_durable(first) => {}
                _ => break,
            }
            if let Some(gone) = self.entries.pop_front() {
                self.bytes -= gone.bytes();
                self.dropped = gone.event.seq;
            }
        }
    }

    /// What follows `after`, without a gap.
    pub(super) fn after(&self, after: u64) -> Found {
        let from = self.entries.partition_point(|one| one.event.seq <= after);
        let Some(first) = self.entries.get(from) else {
            let up_to_date = !self.ended && self.last.is_some_and(|last| last <= after);
            let at_the_end = self.ended && self.last == Some(after);
            return if up_to_date || at_the_end { Found::Nothing } else { Found::Tail(Tail::Behind) };
        };
        match first.before {
            Some(before) if before <= after => Found::Tail(Tail::Events(self.run(from))),
            Some(_) => Found::Tail(Tail::Behind),
            None => Found::Unlinked,
        }
    }

    /// Whether there was anything newer, even if it went meanwhile.
    pub(super) fn knows_after(&self, after: u64) -> bool {
        self.last.is_some_and(|last| last > after)
    }

    /// The events that the log begins with after a jump from an unknown past.
    pub(super) fn jump(&self, after: u64) -> Tail {
        Tail::Events(self.run(self.entries.partition_point(|one| one.event.seq <= after)))
    }

    fn run(&self, from: usize) -> Vec<Event> {
        let mut last = None;
        self.entries
            .range(from..)
            .take(BATCH)
            .take_while(|one| last.replace(one.event.seq).is_none_or(|last| one.before == Some(last)))
            .map(|one| one.event.clone())
            .collect()
    }
}
