//! The end of a run: only who holds the last claim can write it.

use super::{Successes, Tx, chat::json, commit::Failed, enqueue::lock_key};
use crate::{
    batch::Work,
    error::{is_transient, port_error},
};
use chat_core::{Committed, ErrorKind, Held, Lane, Outcome, PortError, PortResult};
use sqlx::PgPool;
use std::{collections::HashSet, sync::Arc};
use uuid::Uuid;

/// What became of a run that asked to be ended together with others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is ended.
    Done,
    /// Others wait for it, or the claim is not held: it needs a transaction of its own.
    Alone,
}

/// Ends runs that succeeded and that nobody waits for, with one statement for the whole group.
pub(crate) fn success_work(pool: PgPool) -> Work<Successes, Ended> {
    Arc::new(move |requests| {
        let pool = pool.clone();
        Box::pin(async move { succeed_all(&pool, &requests).await })
    })
}

async fn succeed_all(pool: &PgPool, requests: &[Successes]) -> PortResult<Vec<PortResult<Ended>>> {
    // In the order of their ids, in which others lock rows too.
    let mut ends: Vec<_> = requests.iter().collect();
    ends.sort_unstable_by_key(|(held, _)| held.job);
    let jobs: Vec<Uuid> = ends.iter().map(|(held, _)| held.job.0).collect();
    let fences: Vec<Uuid> = ends.iter().map(|(held, _)| held.fence.0).collect();
    let texts = ends.iter().map(|(_, result)| result.as_ref().map(json).transpose());
    let results: Vec<Option<String>> = texts.collect::<PortResult<_>>()?;
    let rows = loop {
        match succeed(pool, &jobs, &fences, &results).await {
            Ok(rows) => break rows,
            Err(error) if is_transient(&error) => {}
            Err(error) => return Err(port_error(error)),
        }
    };
    // Of two that end the same run the first one did.
    let mut ended: HashSet<Uuid> = rows.into_iter().collect();
    let answer =
        |(held, _): &Successes| Ok(if ended.remove(&held.job.0) { Ended::Done } else { Ended::Alone });
    Ok(requests.iter().map(answer).collect())
}

/// Rows are not locked first: that would write each of them twice. Should two groups wait for each other all the same,
/// the server ends one of them, and it is tried again.
async fn succeed(
    pool: &PgPool,
    jobs: &[Uuid],
    fences: &[Uuid],
    results: &[Option<String>],
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "UPDATE jobs
         SET state = 4, finished_at = chat_now(), result = done.result,
             unique_key = CASE WHEN unique_forever THEN unique_key END
         FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS done (id, fence, result)
         WHERE jobs.id = done.id AND jobs.fence = done.fence
           AND jobs.state + 0 = 3 AND jobs.parent IS NULL AND jobs.concurrency_key IS NULL
         RETURNING jobs.id",
        jobs,
        fences,
        results as _
    )
    .fetch_all(pool)
    .await
}

/// Ends one run. `None`: the claim is no longer held.
pub(super) async fn finish(
    tx: &mut Tx<'_>,
    held: Held,
    outcome: &Outcome,
    committed: &mut Committed,
) -> Result<Option<()>, Failed> {
    let (state, result, error, again_at) = match outcome {
        Outcome::Succeeded { result } => (4_i16, result.as_ref(), None, None),
        Outcome::Dead { error } => (5, None, Some(error), None),
        Outcome::Cancelled => (6, None, None, None),
        Outcome::Retry { after, error } => (0, None, Some(error), Some(tx.now.plus(*after))),
        Outcome::HandedBack => (1, None, None, Some(tx.now)),
        Outcome::Deferred { after, error } => (0, None, error.as_ref(), Some(tx.now.plus(*after))),
    };
    let (attempts, most) = outcome.recount();
    let row = sqlx::query!(
        "UPDATE jobs
         SET state = $3::smallint, result = $4, run_at = coalesce($5, run_at),
             finished_at = CASE WHEN $3 >= 4 THEN $6::bigint END,
             worker = CASE WHEN $3 >= 4 THEN worker END,
             attempt = attempt + $8::integer, max_attempts = max_attempts + $9::integer, waits_for = $10,
             unique_key = CASE WHEN $3 < 4 OR unique_forever THEN unique_key END,
             errors = CASE WHEN $7::text IS NULL THEN errors
                           ELSE (coalesce(errors, '[]')::jsonb || $7::text::jsonb)::text END
         WHERE id = $1 AND fence = $2 AND state + 0 = 3
         RETURNING parent, concurrency_key, lane",
        held.job.0,
        held.fence.0,
        state,
        result.map(json).transpose()?,
        again_at.map(|at| at.0),
        tx.now.0,
        error.map(json).transpose()?,
        attempts,
        most,
        outcome.waits_for()
    )
    .fetch_optional(&mut *tx.conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    match state {
        0 => committed.due = again_at,
        1 => committed.add_backlog(Lane::parse(&row.lane).unwrap_or(Lane::Default)),
        _ => {
            let failed = i32::from(state != 4);
            release(tx, row.parent, row.concurrency_key.as_deref(), failed, committed).await?;
        }
    }
    Ok(Some(()))
}

pub(super) fn stale() -> PortError {
    PortError::new(ErrorKind::Stale, "the claim is no longer held")
}

/// A job that ended lets its parent, and who waits behind its key, go on.
async fn release(
    tx: &mut Tx<'_>,
    parent: Option<Uuid>,
    key: Option<&str>,
    failed: i32,
    committed: &mut Committed,
) -> sqlx::Result<()> {
    if let Some(parent) = parent {
        let freed = sqlx::query_scalar!(
            "UPDATE jobs
             SET pending_children = pending_children - 1, failed_children = failed_children + $2,
                 state = CASE WHEN pending_children <= 1 THEN 1 ELSE 0 END
             WHERE id = $1 AND state = 0 AND pending_children > 0
             RETURNING CASE state WHEN 1 THEN lane END",
            parent,
            failed
        )
        .fetch_optional(&mut *tx.conn)
        .await?
        .flatten();
        if let Some(lane) = freed.as_deref().and_then(Lane::parse) {
            committed.add_backlog(lane);
        }
    }
    if let Some(key) = key {
        release_key(tx, key, committed).await?;
    }
    Ok(())
}

async fn release_key(tx: &mut Tx<'_>, key: &str, committed: &mut Committed) -> sqlx::Result<()> {
    lock_key(tx, key).await?;
    let freed = sqlx::query_scalar!(
        "UPDATE jobs SET blocked = false, state = 1
         WHERE id = (SELECT id FROM jobs WHERE concurrency_key = $1 AND state < 4 AND blocked
                     ORDER BY id LIMIT 1)
           AND NOT EXISTS (SELECT 1 FROM jobs WHERE concurrency_key = $1 AND state < 4 AND NOT blocked)
         RETURNING lane",
        key
    )
    .fetch_optional(&mut *tx.conn)
    .await?;
    if let Some(lane) = freed.as_deref().and_then(Lane::parse) {
        committed.add_backlog(lane);
    }
    Ok(())
}
