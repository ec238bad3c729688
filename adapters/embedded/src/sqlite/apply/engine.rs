//! The relay's, the reaper's and the workers' statements.

use super::Tx;
use chat_core::{Lane, LaneSlots, Timestamp, WorkerId, ports::Reaped};
use sqlx::Row;
use std::time::Duration;

/// The most due jobs that one promotion moves.
const PROMOTE: i64 = 1_024;

pub(super) async fn heartbeat(
    tx: &mut Tx<'_>,
    worker: WorkerId,
    lanes: &[(Lane, usize)],
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO workers (id, lanes, version, last_seen) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen",
    )
    .bind(worker.0)
    .bind(LaneSlots::write(lanes))
    .bind(env!("CARGO_PKG_VERSION"))
    .bind(tx.now.0)
    .execute(&mut *tx.conn)
    .await
    .map(drop)
}

pub(super) async fn retire(tx: &mut Tx<'_>, worker: WorkerId) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM workers WHERE id = ?1").bind(worker.0).execute(&mut *tx.conn).await.map(drop)
}

/// Makes due jobs available.
pub(super) async fn promote_due(tx: &mut Tx<'_>) -> sqlx::Result<(Vec<Lane>, Option<Timestamp>)> {
    let rows = sqlx::query(
        "UPDATE jobs SET state = 1
         WHERE id IN (SELECT id FROM jobs WHERE state = 0 AND blocked = 0 AND pending_children = 0 AND run_at <= ?1
                      ORDER BY run_at LIMIT ?2)
         RETURNING lane",
    )
    .bind(tx.now.0)
    .bind(PROMOTE)
    .fetch_all(&mut *tx.conn)
    .await?;
    let next: Option<i64> = sqlx::query_scalar(
        "SELECT min(run_at) FROM jobs WHERE state = 0 AND blocked = 0 AND pending_children = 0",
    )
    .fetch_one(&mut *tx.conn)
    .await?;
    Ok((distinct_lanes(rows.iter().map(|row| row.get(0))), next.map(Timestamp)))
}

/// How many lost workers a job may survive beyond its own attempts: most are no fault of the job, but one that kills
/// its worker must end some time.
const LOST_WORKERS: i64 = 10;

/// Frees the jobs of workers that are gone, and what was handed out and never claimed.
pub(super) async fn reap(tx: &mut Tx<'_>, lease: Duration, offer_again: Duration) -> sqlx::Result<Reaped> {
    let ago = |span: Duration| tx.now.0 - span.as_millis() as i64;
    let (unseen, unclaimed) = (ago(lease), ago(offer_again));
    let orphaned = sqlx::query(
        "UPDATE jobs SET state = 1, worker = NULL, max_attempts = max_attempts + (max_attempts < allowance + ?2)
         WHERE state = 3 AND worker NOT IN (SELECT id FROM workers WHERE last_seen > ?1)
         RETURNING lane",
    )
    .bind(unseen)
    .bind(LOST_WORKERS)
    .fetch_all(&mut *tx.conn)
    .await?;
    let offered = sqlx::query(
        "UPDATE jobs SET state = 1, handed_at = NULL WHERE state = 2 AND handed_at < ?1 RETURNING lane",
    )
    .bind(unclaimed)
    .fetch_all(&mut *tx.conn)
    .await?;
    sqlx::query("DELETE FROM workers WHERE last_seen <= ?1").bind(unseen).execute(&mut *tx.conn).await?;
    Ok(Reaped {
        orphaned: orphaned.len() as u64,
        unclaimed: offered.len() as u64,
        lanes: distinct_lanes(orphaned.iter().chain(&offered).map(|row| row.get(0))),
    })
}

fn distinct_lanes<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Lane> {
    let mut lanes: Vec<_> = names.filter_map(Lane::parse).collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes
}
