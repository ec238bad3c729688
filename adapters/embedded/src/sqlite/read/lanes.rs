//! Lanes and workers.

use crate::sqlite::{SqliteStore, error::port_error, now};
use chat_core::{Lane, LaneSlots, LaneState, PortResult, Timestamp, WorkerId, WorkerState};
use sqlx::Row;
use std::{collections::HashMap, time::Duration};
use uuid::Uuid;

impl SqliteStore {
    pub(super) async fn read_lanes(&self, window: Duration) -> PortResult<Vec<LaneState>> {
        let paused: Vec<(String, i64)> = sqlx::query_as("SELECT lane, paused_at FROM paused_lanes")
            .fetch_all(self.readers())
            .await
            .map_err(port_error)?;
        let ended: Vec<(String, i64)> = sqlx::query_as(concat!(
            "SELECT lane, count(*) FROM jobs WHERE state >= 4 AND finished_at > ",
            now!(),
            " - ?1 GROUP BY lane"
        ))
        .bind(window.as_millis() as i64)
        .fetch_all(self.readers())
        .await
        .map_err(port_error)?;
        let (paused, ended): (HashMap<_, _>, HashMap<_, _>) =
            (paused.into_iter().collect(), ended.into_iter().collect());
        let state = |lane: Lane| LaneState {
            lane,
            paused_at: paused.get(lane.as_str()).copied().map(Timestamp),
            ended: ended.get(lane.as_str()).copied().unwrap_or(0) as u64,
        };
        Ok(Lane::ALL.map(state).into())
    }

    pub(super) async fn read_workers(&self, lease: Duration) -> PortResult<Vec<WorkerState>> {
        let rows = sqlx::query(concat!(
            "SELECT id, lanes, version, last_seen,
                    (SELECT count(*) FROM jobs WHERE state = 3 AND worker = workers.id)
             FROM workers WHERE last_seen > ",
            now!(),
            " - ?1 ORDER BY id"
        ))
        .bind(lease.as_millis() as i64)
        .fetch_all(self.readers())
        .await
        .map_err(port_error)?;
        Ok(rows
            .iter()
            .map(|row| WorkerState {
                id: WorkerId(row.get::<Uuid, _>(0)),
                lanes: LaneSlots::read(row.get(1)),
                version: row.get(2),
                last_seen: Timestamp(row.get(3)),
                running: row.get::<i64, _>(4) as u64,
            })
            .collect())
    }
}
