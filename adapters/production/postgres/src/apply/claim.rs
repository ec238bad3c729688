//! Claiming: compare-and-set on the row, with a fresh fence for each claim.

use super::Claims;
use crate::{
    batch::Work,
    error::{is_transient, port_error},
};
use chat_core::{Claim, Fence, JobId, Lane, PortResult, Tenant, Timestamp, TraceParent, WorkerId};
use sqlx::PgPool;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// Claims whose answer was lost: they may have been written, and nobody would run those jobs. Their workers and fences,
/// by which they are found again.
#[derive(Default)]
pub(crate) struct LostClaims(Mutex<Vec<(WorkerId, Uuid)>>);

impl LostClaims {
    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<(WorkerId, Uuid)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes jobs available again that such a claim holds.
    pub(crate) async fn release(&self, pool: &PgPool) -> sqlx::Result<()> {
        let lost = std::mem::take(&mut *self.lock());
        if lost.is_empty() {
            return Ok(());
        }
        let (workers, fences): (Vec<Uuid>, Vec<Uuid>) =
            lost.iter().map(|(worker, fence)| (worker.0, *fence)).unzip();
        let released = sqlx::query!(
            "UPDATE jobs SET state = 1, worker = NULL, max_attempts = max_attempts + 1
             WHERE state = 3 AND worker = ANY($1) AND fence = ANY($2)",
            &workers[..],
            &fences[..]
        )
        .execute(pool)
        .await;
        match released {
            Ok(done) => {
                tracing::info!(jobs = done.rows_affected(), "claims whose answer was lost were given back");
                Ok(())
            }
            Err(error) => {
                self.lock().extend(lost);
                Err(error)
            }
        }
    }
}

/// Claims for a whole group, one statement for all. Who asked first for an id gets it.
pub(crate) fn claim_work(pool: PgPool, lost: Arc<LostClaims>) -> Work<Claims, Vec<Claim>> {
    Arc::new(move |requests| {
        let (pool, lost) = (pool.clone(), lost.clone());
        Box::pin(async move { claim_all(&pool, &lost, requests).await })
    })
}

async fn claim_all(
    pool: &PgPool,
    lost: &LostClaims,
    requests: Vec<Claims>,
) -> PortResult<Vec<PortResult<Vec<Claim>>>> {
    let wanted = requests.iter().flat_map(|(worker, jobs)| jobs.iter().map(|id| (id.0, worker.0)));
    let mut wanted: Vec<_> = wanted.collect();
    // Who asked first for an id gets it; rows are written in the order of their ids, as others do.
    wanted.sort_by_key(|(id, _)| *id);
    wanted.dedup_by_key(|(id, _)| *id);
    let (ids, workers): (Vec<Uuid>, Vec<Uuid>) = wanted.into_iter().unzip();
    let fences: Vec<Uuid> = ids.iter().map(|_| Fence::new().0).collect();
    let rows = loop {
        match claim(pool, &ids, &workers, &fences).await {
            Ok(rows) => break rows,
            Err(error) if is_transient(&error) => {}
            Err(error) => {
                lost.lock().extend(workers.into_iter().map(WorkerId).zip(fences));
                return Err(port_error(error));
            }
        }
    };
    let mut claims: HashMap<(WorkerId, JobId), Claim> =
        rows.into_iter().map(read).map(|(worker, claim)| ((worker, claim.job), claim)).collect();
    let answer =
        |(worker, jobs): Claims| Ok(jobs.iter().filter_map(|id| claims.remove(&(worker, *id))).collect());
    Ok(requests.into_iter().map(answer).collect())
}

/// A claim as it is written.
pub(super) struct ClaimRow {
    pub(super) id: Uuid,
    pub(super) fence: Uuid,
    pub(super) kind: String,
    pub(super) lane: String,
    pub(super) tenant: String,
    pub(super) payload: String,
    pub(super) attempt: i32,
    pub(super) max_attempts: i32,
    pub(super) cancel_requested: bool,
    pub(super) failed_children: i32,
    pub(super) trace_parent: Option<String>,
    pub(super) created_at: i64,
    pub(super) run_at: i64,
    pub(super) started_at: i64,
    pub(super) worker: Uuid,
    pub(super) priority: i32,
    pub(super) vtime: f64,
}

/// Rows are not locked first: that would write each of them twice. Should two claims wait for each other all the same,
/// the server ends one of them, and it is tried again.
async fn claim(
    pool: &PgPool,
    ids: &[Uuid],
    workers: &[Uuid],
    fences: &[Uuid],
) -> sqlx::Result<Vec<ClaimRow>> {
    sqlx::query_as!(
        ClaimRow,
        r#"UPDATE jobs SET state = 3, attempt = attempt + 1, fence = wanted.fence, worker = wanted.worker,
                         started_at = chat_now(), handed_at = NULL
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS wanted (id, worker, fence)
         WHERE jobs.id = wanted.id AND jobs.state + 0 IN (1, 2)
           AND (jobs.cancel_requested OR jobs.lane NOT IN (SELECT lane FROM paused_lanes))
         RETURNING jobs.id, jobs.fence AS "fence!", kind, lane, tenant, payload, attempt, max_attempts,
                   cancel_requested, failed_children, trace_parent, created_at, run_at, started_at AS "started_at!",
                   jobs.worker AS "worker!", priority, vtime"#,
        ids,
        workers,
        fences
    )
    .fetch_all(pool)
    .await
}

/// A claim, and whose it is.
pub(super) fn read(row: ClaimRow) -> (WorkerId, Claim) {
    let claim = Claim {
        job: JobId(row.id),
        fence: Fence(row.fence),
        kind: row.kind,
        lane: Lane::parse(&row.lane).unwrap_or(Lane::Default),
        tenant: Tenant(row.tenant.into()),
        payload: row.payload,
        attempt: row.attempt as u32,
        max_attempts: row.max_attempts as u32,
        cancel_requested: row.cancel_requested,
        failed_children: row.failed_children as u32,
        trace: row.trace_parent.as_deref().and_then(TraceParent::parse),
        created_at: Timestamp(row.created_at),
        run_at: Timestamp(row.run_at),
        claimed_at: Timestamp(row.started_at),
    };
    (WorkerId(row.worker), claim)
}
