use chat_core::{JobState, Lane, LaneState, LaneStats, PortResult, Timestamp, ports::Ports};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// The time that `rate` speaks of.
const WINDOW: Duration = Duration::from_mins(1);

/// What waits and runs in a lane.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lane)]
pub struct LaneView {
    /// `lane`.
    #[schema(example = "lane")]
    object: &'static str,
    /// Its name.
    #[schema(example = "chat")]
    pub name: &'static str,
    /// Whether nothing of it is handed out.
    pub paused: bool,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Timestamp>,
    /// How many jobs wait in it: for a worker, a time, children, or their turn.
    depth: u64,
    /// How many run.
    running: u64,
    /// How many of its jobs ended in a second, over the last minute.
    rate: f64,
    /// How long the oldest that waits for a worker has been there.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_waiting_seconds: Option<f64>,
}

impl LaneView {
    /// Every lane, as it is now.
    pub async fn all(ports: &Ports) -> PortResult<Vec<Self>> {
        let (counted, states) =
            tokio::try_join!(ports.store.lane_stats(true), ports.store.lane_states(WINDOW))?;
        let now = ports.clock.now();
        Ok(states.iter().map(|state| Self::of(state, &counted, now)).collect())
    }

    /// One of them.
    pub async fn one(ports: &Ports, lane: Lane) -> PortResult<Option<Self>> {
        Ok(Self::all(ports).await?.into_iter().find(|view| view.name == lane.as_str()))
    }

    fn of(state: &LaneState, counted: &[LaneStats], now: Timestamp) -> Self {
        let of = || counted.iter().filter(|row| row.lane == state.lane);
        let waits_for_a_worker =
            |row: &&LaneStats| matches!(row.state, JobState::Available | JobState::Handed);
        Self {
            object: "lane",
            name: state.lane.as_str(),
            paused: state.paused_at.is_some(),
            paused_at: state.paused_at,
            depth: of().filter(|row| row.state != JobState::Running).map(|row| row.count).sum(),
            running: of().filter(|row| row.state == JobState::Running).map(|row| row.count).sum(),
            rate: state.ended as f64 / WINDOW.as_secs_f64(),
            oldest_waiting_seconds: of()
                .filter(waits_for_a_worker)
                .map(|row| now.since(row.oldest).as_secs_f64())
                .reduce(f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_does_not_wait() {
        let row = |state, count, oldest| LaneStats {
            lane: Lane::Chat,
            kind: "answer_turn.v1".into(),
            state,
            count,
            oldest: Timestamp(oldest),
        };
        let counted = [
            row(JobState::Running, 2, 0),
            row(JobState::Available, 3, 5_000),
            row(JobState::Waiting, 1, 1_000),
        ];
        let lane = |lane, ended| LaneState { lane, paused_at: None, ended };
        let chat = LaneView::of(&lane(Lane::Chat, 90), &counted, Timestamp(8_000));
        assert_eq!((chat.depth, chat.running, chat.oldest_waiting_seconds), (4, 2, Some(3.0)));
        assert_eq!((chat.rate, chat.paused), (1.5, false));
        let empty = LaneView::of(&lane(Lane::Embed, 0), &counted, Timestamp(8_000));
        assert_eq!((empty.depth, empty.running, empty.oldest_waiting_seconds), (0, 0, None));
    }
}
