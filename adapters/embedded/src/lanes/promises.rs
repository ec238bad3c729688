//! Places of a lane that were promised and not yet taken.

use std::time::{Duration, Instant};

/// How long a promise counts at least: far longer than a commit, short enough that lost ones do no harm.
const PERIOD: Duration = Duration::from_secs(1);

/// Counts promises by the period they were made in. A promise whose commit failed is never redeemed; it is
/// forgotten with its period.
#[derive(Debug, Default)]
pub(super) struct Promises {
    current: usize,
    previous: usize,
    since: Option<Instant>,
}

impl Promises {
    /// How many places are promised.
    pub(super) fn count(&mut self, now: Instant) -> usize {
        self.roll(now);
        self.current + self.previous
    }

    /// Promises one place.
    pub(super) fn make(&mut self, now: Instant) {
        self.roll(now);
        self.current += 1;
    }

    /// One promise was kept: the oldest, as commits keep their order.
    pub(super) fn redeem(&mut self) {
        if self.previous > 0 {
            self.previous -= 1;
        } else {
            self.current = self.current.saturating_sub(1);
        }
    }

    fn roll(&mut self, now: Instant) {
        let age = self.since.map_or(PERIOD * 2, |since| now.duration_since(since));
        if age < PERIOD {
            return;
        }
        self.previous = if age < PERIOD * 2 { self.current } else { 0 };
        self.current = 0;
        self.since = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_that_nobody_redeems_are_forgotten() {
        let start = Instant::now();
        let mut promises = Promises::default();
        promises.make(start);
        promises.make(start);
        promises.redeem();
        assert_eq!(promises.count(start + PERIOD / 2), 1);
        assert_eq!(promises.count(start + PERIOD), 1);
        assert_eq!(promises.count(start + PERIOD * 2), 0);
    }
}
