//! The relay's, the reaper's and the workers' statements. What another process works on at the moment is left to it.

use chat_core::{Lane, LaneSlots, Timestamp, WorkerId, ports::Reaped};
use sqlx::PgPool;
use std::time::Duration;

/// The most due jobs that one promotion moves.
const PROMOTE: i64 = 1_024;
/// How many lost workers a job may survive beyond its own attempts: most are no fault of the job, but one that kills
/// its worker must end some time.
const LOST_WORKERS: i32 = 10;

pub(crate) async fn heartbeat(pool: &PgPool, worker: WorkerId, lanes: &[(Lane, usize)]) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO workers (id, lanes, version, last_seen) VALUES ($1, $2, $3, chat_now())
         ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen",
        worker.0,
        LaneSlots::write(lanes),
        env!("CARGO_PKG_VERSION")
    )
    .execute(pool)
    .await
    .map(drop)
}

pub(crate) async fn retire(pool: &PgPool, worker: WorkerId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM workers WHERE id = $1", worker.0).execute(pool).await.map(drop)
}

/// Makes due jobs available.
pub(crate) async fn promote_due(pool: &PgPool) -> sqlx::Result<(Vec<Lane>, Option<Timestamp>)> {
    let lanes = sqlx::query_scalar!(
        "WITH due AS MATERIALIZED (
             SELECT id FROM jobs
             WHERE state = 0 AND NOT blocked AND pending_children = 0 AND run_at <= chat_now()
             ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED
         )
         UPDATE jobs SET state = 1 FROM due WHERE jobs.id = due.id RETURNING lane",
        PROMOTE
    )
    .fetch_all(pool)
    .await?;
    let next = sqlx::query_scalar!(
        "SELECT min(run_at) FROM jobs WHERE state = 0 AND NOT blocked AND pending_children = 0"
    )
    .fetch_one(pool)
    .await?;
    Ok((distinct_lanes(lanes.iter()), next.map(Timestamp)))
}

/// Frees the jobs of workers that are gone, and what was handed out and never claimed.
pub(crate) async fn reap(pool: &PgPool, lease: Duration, offer_again: Duration) -> sqlx::Result<Reaped> {
    let orphaned = sqlx::query_scalar!(
        "WITH lost AS MATERIALIZED (
             SELECT id FROM jobs WHERE state = 3 AND NOT EXISTS
                 (SELECT 1 FROM workers WHERE workers.id = jobs.worker AND last_seen > chat_now() - $1)
             ORDER BY id FOR UPDATE SKIP LOCKED
         )
         UPDATE jobs SET state = 1, worker = NULL,
             max_attempts = max_attempts + CASE WHEN max_attempts < allowance + $2 THEN 1 ELSE 0 END
         FROM lost WHERE jobs.id = lost.id RETURNING lane",
        lease.as_millis() as i64,
        LOST_WORKERS
    )
    .fetch_all(pool)
    .await?;
    let offered = sqlx::query_scalar!(
        "WITH unclaimed AS MATERIALIZED (
             SELECT id FROM jobs WHERE state = 2 AND handed_at < chat_now() - $1
             ORDER BY id FOR UPDATE SKIP LOCKED
         )
         UPDATE jobs SET state = 1, handed_at = NULL
         FROM unclaimed WHERE jobs.id = unclaimed.id RETURNING lane",
        offer_again.as_millis() as i64
    )
    .fetch_all(pool)
    .await?;
    sqlx::query!("DELETE FROM workers WHERE last_seen <= chat_now() - $1", lease.as_millis() as i64)
        .execute(pool)
        .await?;
    Ok(Reaped {
        orphaned: orphaned.len() as u64,
        unclaimed: offered.len() as u64,
        lanes: distinct_lanes(orphaned.iter().chain(&offered)),
    })
}

fn distinct_lanes<'a>(names: impl Iterator<Item = &'a String>) -> Vec<Lane> {
    let mut lanes: Vec<_> = names.filter_map(|name| Lane::parse(name)).collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes
}
