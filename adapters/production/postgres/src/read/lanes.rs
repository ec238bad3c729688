//! Lanes and workers.

use crate::{PostgresStore, error::port_error};
use chat_core::{Lane, LaneSlots, LaneState, PortResult, Timestamp, WorkerId, WorkerState};
use std::{collections::HashMap, time::Duration};

impl PostgresStore {
    pub(super) async fn read_lanes(&self, window: Duration) -> PortResult<Vec<LaneState>> {
        let paused = sqlx::query!("SELECT lane, paused_at FROM paused_lanes")
            .fetch_all(self.pool())
            .await
            .map_err(port_error)?;
        let ended = sqlx::query!(
            r#"SELECT lane, count(*) AS "count!" FROM jobs
               WHERE state >= 4 AND finished_at > chat_now() - $1 GROUP BY lane"#,
            window.as_millis() as i64
        )
        .fetch_all(self.pool())
        .await
        .map_err(port_error)?;
        let paused: HashMap<_, _> = paused.into_iter().map(|row| (row.lane, row.paused_at)).collect();
        let ended: HashMap<_, _> = ended.into_iter().map(|row| (row.lane, row.count)).collect();
        let state = |lane: Lane| LaneState {
            lane,
            paused_at: paused.get(lane.as_str()).copied().map(Timestamp),
            ended: ended.get(lane.as_str()).copied().unwrap_or(0) as u64,
        };
        Ok(Lane::ALL.map(state).into())
    }

    pub(super) async fn read_workers(&self, lease: Duration) -> PortResult<Vec<WorkerState>> {
        let rows = sqlx::query!(
            r#"SELECT id, lanes, version, last_seen,
                      (SELECT count(*) FROM jobs WHERE state = 3 AND worker = workers.id) AS "running!"
               FROM workers WHERE last_seen > chat_now() - $1 ORDER BY id"#,
            lease.as_millis() as i64
        )
        .fetch_all(self.pool())
        .await
        .map_err(port_error)?;
        Ok(rows
            .into_iter()
            .map(|row| WorkerState {
                id: WorkerId(row.id),
                lanes: LaneSlots::read(&row.lanes),
                version: row.version,
                last_seen: Timestamp(row.last_seen),
                running: row.running as u64,
            })
            .collect())
    }
}
