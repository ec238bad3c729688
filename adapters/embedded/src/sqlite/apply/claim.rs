//! Claiming: compare-and-set on the row, with a fresh fence for each claim.

use super::{ClaimRequest, Tx, control::CANCEL_PRIORITY};
use chat_core::{Claim, Fence, JobId, Lane, Tenant, Timestamp, TraceParent, WorkerId};
use sqlx::Row;
use sqlx_sqlite::SqliteRow;
use std::{cmp::Reverse, collections::HashMap};
use uuid::Uuid;

/// The statement that claims the jobs that match. Its parameters 2 and 3: the worker, and the time.
macro_rules! claim {
    ($matching:literal) => {
        concat!(
            "UPDATE jobs SET state = 3, attempt = attempt + 1, fence = randomblob(16), worker = ?2, started_at = ?3,
                 handed_at = NULL
             WHERE ",
            $matching,
            " RETURNING id, fence, kind, lane, tenant, payload, attempt, max_attempts, cancel_requested,
                  failed_children, created_at, run_at, trace_parent, priority, vtime"
        )
    };
}

/// Claims for the whole group, one statement per worker. Who asked first for an id gets it.
pub(super) async fn claim_all(tx: &mut Tx<'_>, requests: &mut [ClaimRequest]) -> sqlx::Result<()> {
    let mut by_worker: HashMap<WorkerId, Vec<String>> = HashMap::new();
    for (worker, ids, _) in requests.iter() {
        by_worker.entry(*worker).or_default().extend(ids.iter().map(|id| id.0.simple().to_string()));
    }
    let mut claims = HashMap::new();
    for (worker, ids) in by_worker {
        for claim in claim(tx, worker, &ids).await? {
            claims.insert((worker, claim.job), claim);
        }
    }
    for (worker, ids, slot) in requests {
        slot.result = Ok(ids.iter().filter_map(|id| claims.remove(&(*worker, *id))).collect());
    }
    Ok(())
}

async fn claim(tx: &mut Tx<'_>, worker: WorkerId, ids: &[String]) -> sqlx::Result<Vec<Claim>> {
    let ids = serde_json::to_string(ids).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let rows = sqlx::query(claim!(
        "id IN (SELECT unhex(value) FROM json_each(?1)) AND state IN (1, 2)
         AND (cancel_requested OR lane NOT IN (SELECT lane FROM paused_lanes))"
    ))
    .bind(ids)
    .bind(worker.0)
    .bind(tx.now.0)
    .fetch_all(&mut *tx.conn)
    .await?;
    Ok(rows.iter().map(|row| read(row, tx.now)).collect())
}

/// Claims the next jobs of a lane's backlog, in fair order. Of a paused lane only those that are to be cancelled, which
/// have at least a priority of their own: its backlog is not searched for them.
pub(super) async fn claim_next(
    tx: &mut Tx<'_>,
    worker: WorkerId,
    lane: Lane,
    limit: usize,
) -> sqlx::Result<Vec<Claim>> {
    let mut rows = sqlx::query(claim!(
        "id IN (SELECT id FROM jobs WHERE state = 1 AND lane = ?1
                    AND priority >= CASE WHEN EXISTS (SELECT 1 FROM paused_lanes WHERE lane = ?1) THEN ?5 ELSE ?6 END
                    AND (cancel_requested OR NOT EXISTS (SELECT 1 FROM paused_lanes WHERE lane = ?1))
                ORDER BY priority DESC, vtime, id LIMIT ?4)"
    ))
    .bind(lane.as_str())
    .bind(worker.0)
    .bind(tx.now.0)
    .bind(limit as i64)
    .bind(CANCEL_PRIORITY)
    .bind(i16::MIN)
    .fetch_all(&mut *tx.conn)
    .await?;
    // RETURNING promises no order.
    rows.sort_by(|a, b| fair(a).partial_cmp(&fair(b)).unwrap_or(std::cmp::Ordering::Equal));
    for row in &rows {
        tx.clock.advance(lane, row.get(VTIME));
    }
    Ok(rows.iter().map(|row| read(row, tx.now)).collect())
}

/// Where a claimed row says its priority and its virtual time.
const PRIORITY: usize = 13;
const VTIME: usize = 14;

fn fair(row: &SqliteRow) -> (Reverse<i16>, f64, Uuid) {
    (Reverse(row.get(PRIORITY)), row.get(VTIME), row.get(0))
}

fn read(row: &SqliteRow, claimed_at: Timestamp) -> Claim {
    Claim {
        job: JobId(row.get::<Uuid, _>(0)),
        fence: Fence(row.get::<Uuid, _>(1)),
        kind: row.get(2),
        lane: Lane::parse(row.get(3)).unwrap_or(Lane::Default),
        tenant: Tenant::from(row.get::<&str, _>(4)),
        payload: row.get(5),
        attempt: row.get(6),
        max_attempts: row.get(7),
        cancel_requested: row.get(8),
        failed_children: row.get(9),
        created_at: Timestamp(row.get(10)),
        run_at: Timestamp(row.get(11)),
        trace: row.get::<Option<&str>, _>(12).and_then(TraceParent::parse),
        claimed_at,
    }
}
