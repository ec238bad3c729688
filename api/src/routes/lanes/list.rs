use crate::{caller::Operator, page::List, problem::Problem, state::AppState};
use axum::{Json, extract::State};
use chat_core::{JobState, Lane, LaneStats, Page, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// What waits and runs in a lane.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lane)]
pub struct LaneView {
    /// `lane`.
    #[schema(example = "lane")]
    object: &'static str,
    /// Its name.
    #[schema(example = "chat")]
    name: &'static str,
    /// How many jobs wait in it: for a worker, a time, children, or their turn.
    depth: u64,
    /// How many run.
    running: u64,
    /// How long the oldest that waits for a worker has been there.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_waiting_seconds: Option<f64>,
}

/// Every lane.
#[utoipa::path(get, path = "/lanes", tag = "lanes", responses((status = 200, body = List<LaneView>)))]
pub async fn list_lanes(State(state): State<AppState>, _: Operator) -> Result<Json<List<LaneView>>, Problem> {
    let counts = state.ports.store.lane_stats(true).await?;
    let now = state.ports.clock.now();
    let rows = Lane::ALL.map(|lane| view(lane, &counts, now)).into();
    let page = Page { rows, has_more: false };
    Ok(Json(List::of(page, |lane| lane.name.to_owned(), |lane| lane)))
}

fn view(lane: Lane, stats: &[LaneStats], now: Timestamp) -> LaneView {
    let of = || stats.iter().filter(move |row| row.lane == lane);
    let waits_for_a_worker = |row: &&LaneStats| matches!(row.state, JobState::Available | JobState::Handed);
    LaneView {
        object: "lane",
        name: lane.as_str(),
        depth: of().filter(|row| row.state != JobState::Running).map(|row| row.count).sum(),
        running: of().filter(|row| row.state == JobState::Running).map(|row| row.count).sum(),
        oldest_waiting_seconds: of()
            .filter(waits_for_a_worker)
            .map(|row| now.since(row.oldest).as_secs_f64())
            .reduce(f64::max),
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
        let stats = [
            row(JobState::Running, 2, 0),
            row(JobState::Available, 3, 5_000),
            row(JobState::Waiting, 1, 1_000),
        ];
        let chat = view(Lane::Chat, &stats, Timestamp(8_000));
        assert_eq!((chat.depth, chat.running, chat.oldest_waiting_seconds), (4, 2, Some(3.0)));
        let empty = view(Lane::Embed, &stats, Timestamp(8_000));
        assert_eq!((empty.depth, empty.running, empty.oldest_waiting_seconds), (0, 0, None));
    }
}
