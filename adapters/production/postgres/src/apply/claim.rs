//! Claiming: compare-and-set on the row, with a fresh fence for each claim.

use super::Claims;
use crate::{
    batch::Work,
    error::{is_transient, port_error},
};
use chat_core::{Claim, Fence, JobId, Lane, PortResult, Tenant, Timestamp, WorkerId};
use sqlx::{PgPool, Row, postgres::PgRow};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// Claims for a whole group, one statement for all. Who asked first for an id gets it.
pub(crate) fn claim_work(pool: PgPool) -> Work<Claims, Vec<Claim>> {
    Arc::new(move |requests| {
        let pool = pool.clone();
        Box::pin(async move { claim_all(&pool, requests).await })
    })
}

async fn claim_all(pool: &PgPool, requests: Vec<Claims>) -> PortResult<Vec<PortResult<Vec<Claim>>>> {
    let (mut ids, mut workers) = (Vec::new(), Vec::new());
    for (worker, jobs) in &requests {
        ids.extend(jobs.iter().map(|id| id.0));
        workers.extend(std::iter::repeat_n(worker.0, jobs.len()));
    }
    let rows = loop {
        match claim(pool, &ids, &workers).await {
            Ok(rows) => break rows,
            Err(error) if is_transient(&error) => {}
            Err(error) => return Err(port_error(error)),
        }
    };
    let mut claims: HashMap<(WorkerId, JobId), Claim> =
        rows.iter().map(read).map(|(worker, claim)| ((worker, claim.job), claim)).collect();
    let answer =
        |(worker, jobs): Claims| Ok(jobs.iter().filter_map(|id| claims.remove(&(worker, *id))).collect());
    Ok(requests.into_iter().map(answer).collect())
}

/// Rows are locked in the order of their ids, so that two claims never wait for each other.
async fn claim(pool: &PgPool, ids: &[Uuid], workers: &[Uuid]) -> sqlx::Result<Vec<PgRow>> {
    sqlx::query(
        "WITH wanted AS (
             SELECT DISTINCT ON (id) id, worker FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS row (id, worker, at)
             ORDER BY id, at
         ), free AS (
             SELECT jobs.id, wanted.worker FROM jobs JOIN wanted USING (id)
             WHERE jobs.state IN (1, 2) ORDER BY jobs.id FOR UPDATE OF jobs
         )
         UPDATE jobs SET state = 3, attempt = attempt + 1, fence = gen_random_uuid(), worker = free.worker,
                         started_at = chat_now(), handed_at = NULL
         FROM free WHERE jobs.id = free.id
         RETURNING jobs.id, fence, kind, lane, tenant, payload, attempt, max_attempts, cancel_requested,
                   failed_children, created_at, run_at, started_at, jobs.worker",
    )
    .bind(ids)
    .bind(workers)
    .fetch_all(pool)
    .await
}

fn read(row: &PgRow) -> (WorkerId, Claim) {
    let claim = Claim {
        job: JobId(row.get::<Uuid, _>(0)),
        fence: Fence(row.get::<Uuid, _>(1)),
        kind: row.get(2),
        lane: Lane::parse(row.get(3)).unwrap_or(Lane::Default),
        tenant: Tenant::from(row.get::<&str, _>(4)),
        payload: row.get(5),
        attempt: row.get::<i32, _>(6) as u32,
        max_attempts: row.get::<i32, _>(7) as u32,
        cancel_requested: row.get(8),
        failed_children: row.get::<i32, _>(9) as u32,
        created_at: Timestamp(row.get(10)),
        run_at: Timestamp(row.get(11)),
        claimed_at: Timestamp(row.get(12)),
    };
    (WorkerId(row.get::<Uuid, _>(13)), claim)
}
