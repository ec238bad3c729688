//! The queue as gauges. It is counted when somebody reads the metrics, not all the time.

use super::names;
use chat_core::{
    JobState, Lane, LaneStats, PortResult, Timestamp,
    ports::{Clock, Store},
};
use metrics::gauge;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

type Series = (Lane, String, JobState);

/// Counts jobs that have not ended.
pub(super) struct Depth {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// What was counted before: a series that is not there any more must go to 0, not stay.
    seen: Mutex<HashSet<Series>>,
}

impl Depth {
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, seen: Mutex::default() }
    }

    /// Counts, and sets the gauges.
    pub(super) async fn refresh(&self) -> PortResult<()> {
        let stats = self.store.lane_stats(true).await?;
        self.set_depths(&stats);
        let now = self.clock.now();
        for (lane, age) in oldest_waiting(&stats, now) {
            gauge!(names::OLDEST, "lane" => lane.as_str()).set(age.as_secs_f64());
        }
        for state in self.store.lane_states(Duration::ZERO).await? {
            let paused = f64::from(u8::from(state.paused_at.is_some()));
            gauge!(names::PAUSED, "lane" => state.lane.as_str()).set(paused);
        }
        Ok(())
    }

    fn set_depths(&self, stats: &[LaneStats]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (lane, kind, state) in seen.iter() {
            depth(*lane, kind, *state, 0);
        }
        for row in stats {
            depth(row.lane, &row.kind, row.state, row.count);
            seen.insert((row.lane, row.kind.clone(), row.state));
        }
    }
}

fn depth(lane: Lane, kind: &str, state: JobState, count: u64) {
    gauge!(names::DEPTH, "lane" => lane.as_str(), "kind" => kind.to_owned(), "state" => state.as_str())
        .set(count as f64);
}

/// For every lane the age of the oldest job that does not run; 0 where none waits.
fn oldest_waiting(stats: &[LaneStats], now: Timestamp) -> Vec<(Lane, Duration)> {
    let oldest = |lane| {
        let waiting = stats.iter().filter(|row| row.lane == lane && is_waiting(row.state) && row.count > 0);
        waiting.map(|row| row.oldest).min().map_or(Duration::ZERO, |oldest| now.since(oldest))
    };
    Lane::ALL.map(|lane| (lane, oldest(lane))).to_vec()
}

/// Neither begun nor ended.
fn is_waiting(state: JobState) -> bool {
    matches!(state, JobState::Waiting | JobState::Available | JobState::Handed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(lane: Lane, state: JobState, oldest: i64) -> LaneStats {
        LaneStats { lane, kind: "noop.v1".into(), state, count: 2, oldest: Timestamp(oldest) }
    }

    #[test]
    fn only_what_waits_has_a_waiting_age() {
        let stats = [
            row(Lane::Chat, JobState::Running, 0),
            row(Lane::Chat, JobState::Available, 7_000),
            row(Lane::Chat, JobState::Waiting, 4_000),
            row(Lane::Ingest, JobState::Running, 1_000),
        ];
        let ages = oldest_waiting(&stats, Timestamp(10_000));
        assert_eq!(ages[0], (Lane::Chat, Duration::from_secs(6)));
        assert!(ages[1..].iter().all(|(_, age)| age.is_zero()), "{ages:?}");
        assert_eq!(ages.len(), Lane::ALL.len());
    }
}
