//! The end of a run: only who holds the last claim can write it.

use super::{Slot, Tx};
use chat_core::{AttemptError, Committed, ErrorKind, Held, JobId, Lane, Outcome, PortError};
use serde_json::Value;
use sqlx::Row;
use sqlx_sqlite::SqliteRow;
use std::collections::HashMap;
use uuid::Uuid;

/// Ends the runs of the whole group that succeeded and have nothing else to write, with one statement.
pub(super) async fn succeed_all(
    tx: &mut Tx<'_>,
    finishes: &mut [(Held, Option<Value>, Slot<Committed>)],
) -> sqlx::Result<()> {
    if finishes.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = finishes
        .iter()
        .map(|(held, result, _)| {
            (
                held.job.0.simple().to_string(),
                held.fence.0.simple().to_string(),
                result.as_ref().map(Value::to_string),
            )
        })
        .collect();
    let rows = serde_json::to_string(&rows).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let rows = sqlx::query(
        "UPDATE jobs
         SET state = 4, finished_at = ?2, result = done.value ->> 2,
             unique_key = CASE WHEN unique_forever THEN unique_key END
         FROM json_each(?1) AS done
         WHERE jobs.id = unhex(done.value ->> 0) AND jobs.fence = unhex(done.value ->> 1) AND jobs.state = 3
         RETURNING id, parent, concurrency_key",
    )
    .bind(rows)
    .bind(tx.now.0)
    .fetch_all(&mut *tx.conn)
    .await?;
    let mut ended: HashMap<JobId, SqliteRow> =
        rows.into_iter().map(|row| (JobId(row.get::<Uuid, _>(0)), row)).collect();
    for (held, _, slot) in finishes {
        slot.result = match ended.remove(&held.job) {
            Some(row) => {
                let mut committed = Committed::default();
                release(tx, &row, 0, &mut committed).await?;
                Ok(committed)
            }
            None => Err(stale()),
        };
    }
    Ok(())
}

/// Ends one run. `None`: the claim is no longer held.
pub(super) async fn finish(
    tx: &mut Tx<'_>,
    held: Held,
    outcome: &Outcome,
    committed: &mut Committed,
) -> sqlx::Result<Option<()>> {
    let (state, result, error, again_at) = match outcome {
        Outcome::Succeeded { result } => (4, result.as_ref(), None, None),
        Outcome::Dead { error } => (5, None, Some(error), None),
        Outcome::Cancelled => (6, None, None, None),
        Outcome::Retry { after, error } => (0, None, Some(error), Some(tx.now.plus(*after))),
        Outcome::HandedBack => (1, None, None, Some(tx.now)),
        Outcome::Deferred { after, error } => (0, None, error.as_ref(), Some(tx.now.plus(*after))),
    };
    let (attempts, most) = outcome.recount();
    let row = sqlx::query(
        "UPDATE jobs
         SET state = ?3, result = ?4, run_at = coalesce(?5, run_at),
             finished_at = CASE WHEN ?3 >= 4 THEN ?6 END,
             worker = CASE WHEN ?3 >= 4 THEN worker END,
             attempt = attempt + ?8, max_attempts = max_attempts + ?9, waits_for = ?10,
             unique_key = CASE WHEN ?3 < 4 OR unique_forever THEN unique_key END,
             errors = CASE WHEN ?7 IS NULL THEN errors ELSE json_insert(coalesce(errors, '[]'), '$[#]', json(?7)) END
         WHERE id = ?1 AND fence = ?2 AND state = 3
         RETURNING id, parent, concurrency_key, lane",
    )
    .bind(held.job.0)
    .bind(held.fence.0)
    .bind(state)
    .bind(result.map(Value::to_string))
    .bind(again_at.map(|at| at.0))
    .bind(tx.now.0)
    .bind(error.map(history))
    .bind(attempts)
    .bind(most)
    .bind(outcome.waits_for())
    .fetch_optional(&mut *tx.conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    match state {
        0 => committed.due = again_at,
        1 => committed.add_backlog(Lane::parse(row.get(3)).unwrap_or(Lane::Default)),
        _ => release(tx, &row, i64::from(state != 4), committed).await?,
    }
    Ok(Some(()))
}

fn history(error: &AttemptError) -> String {
    serde_json::to_string(error).unwrap_or_else(|_| "{}".into())
}

pub(super) fn stale() -> PortError {
    PortError::new(ErrorKind::Stale, "the claim is no longer held")
}

/// A job that ended lets its parent, and who waits behind its key, go on.
async fn release(
    tx: &mut Tx<'_>,
    row: &SqliteRow,
    failed: i64,
    committed: &mut Committed,
) -> sqlx::Result<()> {
    if let Some(parent) = row.get::<Option<Uuid>, _>(1) {
        let freed = sqlx::query(
            "UPDATE jobs
             SET pending_children = pending_children - 1, failed_children = failed_children + ?2,
                 state = CASE WHEN pending_children <= 1 THEN 1 ELSE 0 END
             WHERE id = ?1 AND state = 0 AND pending_children > 0
             RETURNING lane, state",
        )
        .bind(parent)
        .bind(failed)
        .fetch_optional(&mut *tx.conn)
        .await?;
        if let Some(freed) = freed.filter(|freed| freed.get::<i64, _>(1) == 1) {
            committed.add_backlog(Lane::parse(freed.get(0)).unwrap_or(Lane::Default));
        }
    }
    if let Some(key) = row.get::<Option<String>, _>(2) {
        release_key(tx, &key, committed).await?;
    }
    Ok(())
}

async fn release_key(tx: &mut Tx<'_>, key: &str, committed: &mut Committed) -> sqlx::Result<()> {
    let freed = sqlx::query_scalar::<_, String>(
        "UPDATE jobs SET blocked = 0, state = 1
         WHERE id = (SELECT id FROM jobs WHERE concurrency_key = ?1 AND state < 4 AND blocked = 1 ORDER BY id LIMIT 1)
           AND NOT EXISTS (SELECT 1 FROM jobs WHERE concurrency_key = ?1 AND state < 4 AND blocked = 0)
         RETURNING lane",
    )
    .bind(key)
    .fetch_optional(&mut *tx.conn)
    .await?;
    if let Some(lane) = freed.as_deref().and_then(Lane::parse) {
        committed.add_backlog(lane);
    }
    Ok(())
}
