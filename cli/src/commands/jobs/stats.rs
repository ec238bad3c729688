//! `chat jobs stats`

use crate::{
    client::{ClientError, LaneState},
    failure::{Exit, Failure, Outcome},
    link::Link,
    output::{self, Align, Table},
    telemetry::oldest_waiting,
};
use chat_core::{JobState, LaneStats, Timestamp, ports::Ports};
use std::time::Duration;

/// Counts what waits and runs, by lane.
pub async fn run(link: &Link, json: bool) -> Outcome {
    let lanes = match link.ports() {
        Some(ports) => of_store(ports).await?,
        None => link.client.lanes().await.map_err(too_old)?,
    };
    if json {
        output::json(&lanes);
        return Ok(Exit::Done);
    }
    let columns = [
        ("Lane", Align::Left),
        ("Waiting", Align::Right),
        ("Running", Align::Right),
        ("Oldest waiting", Align::Right),
    ];
    let mut table = Table::new(columns);
    for lane in lanes {
        let oldest = lane
            .oldest_waiting_seconds
            .map_or_else(|| "-".to_owned(), |age| output::age(Duration::from_secs_f64(age)));
        table.row([lane.name, output::count(lane.depth), output::count(lane.running), oldest]);
    }
    table.print();
    Ok(Exit::Done)
}

fn too_old(error: ClientError) -> Failure {
    if error.is_not_found() {
        return Failure::new("this server does not count its jobs")
            .hint("its metrics do: `jobs_queue_depth`");
    }
    error.into()
}

async fn of_store(ports: &Ports) -> Outcome<Vec<LaneState>> {
    let stats = ports.store.lane_stats(true).await;
    let stats = stats.map_err(|error| Failure::new(format!("the jobs cannot be counted: {error}")))?;
    Ok(lanes(&stats, ports.clock.now()))
}

fn lanes(stats: &[LaneStats], now: Timestamp) -> Vec<LaneState> {
    let counted = |(lane, age): (chat_core::Lane, Duration)| {
        let count = |running: bool| -> u64 {
            let rows =
                stats.iter().filter(|row| row.lane == lane && (row.state == JobState::Running) == running);
            rows.map(|row| row.count).sum()
        };
        let (depth, running) = (count(false), count(true));
        let oldest_waiting_seconds = (depth > 0).then_some(age.as_secs_f64());
        LaneState { name: lane.as_str().to_owned(), depth, running, oldest_waiting_seconds }
    };
    oldest_waiting(stats, now).into_iter().map(counted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_core::Lane;

    #[test]
    fn lanes_count_what_waits_and_what_runs() {
        let row = |state, count, oldest| LaneStats {
            lane: Lane::Ingest,
            kind: "x".into(),
            state,
            count,
            oldest: Timestamp(oldest),
        };
        let stats = [
            row(JobState::Available, 3, 5_000),
            row(JobState::Waiting, 2, 9_000),
            row(JobState::Running, 1, 1_000),
        ];
        let lanes = lanes(&stats, Timestamp(10_000));
        let ingest = lanes
            .iter()
            .find(|lane| lane.name == "ingest")
            .map(|lane| (lane.depth, lane.running, lane.oldest_waiting_seconds));
        assert_eq!(ingest, Some((5, 1, Some(5.0))));
        assert!(
            lanes
                .iter()
                .filter(|lane| lane.name != "ingest")
                .all(|lane| lane.oldest_waiting_seconds.is_none())
        );
    }
}
