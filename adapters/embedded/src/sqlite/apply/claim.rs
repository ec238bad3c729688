//! Claiming: compare-and-set on the row, with a fresh fence for each claim.

use super::{ClaimRequest, Tx};
use chat_core::{Claim, Fence, JobId, Lane, Tenant, Timestamp, WorkerId};
use sqlx::Row;
use sqlx_sqlite::SqliteRow;
use std::collections::HashMap;
use uuid::Uuid;

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
    let rows = sqlx::query(
        "UPDATE jobs
         SET state = 3, attempt = attempt + 1, fence = randomblob(16), worker = ?2, started_at = ?3, handed_at = NULL
         WHERE id IN (SELECT unhex(value) FROM json_each(?1)) AND state IN (1, 2)
           AND (cancel_requested OR lane NOT IN (SELECT lane FROM paused_lanes))
         RETURNING id, fence, kind, lane, tenant, payload, attempt, max_attempts, cancel_requested, failed_children,
                   created_at, run_at",
    )
    .bind(ids)
    .bind(worker.0)
    .bind(tx.now.0)
    .fetch_all(&mut *tx.conn)
    .await?;
    Ok(rows.iter().map(|row| read(row, tx.now)).collect())
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
        claimed_at,
    }
}
