//! Clean-up, in steps that are short enough to stand between two groups of writes.

use super::{now, read_clock};
use chat_core::{JobId, Timestamp, ports::Upkeep};
use sqlx_sqlite::SqliteConnection;
use std::time::Duration;

/// Rows that one step removes.
const STEP: i64 = 1_000;
/// Dead jobs stay this many times longer than others: somebody may want to look at them.
const DEAD_STAYS: i64 = 4;

pub(crate) async fn run(conn: &mut SqliteConnection, task: Upkeep) -> sqlx::Result<u64> {
    match task {
        Upkeep::Analyze => analyze(conn).await,
        Upkeep::Reindex => {
            sqlx::query("REINDEX idx_chat_messages_session_created").execute(&mut *conn).await?;
            sqlx::query("REINDEX idx_chat_contexts_relevance").execute(conn).await.map(|_| 0)
        }
        Upkeep::Vacuum => {
            // A whole VACUUM would lock the file for long: pages are given back by truncating the log, and statistics
            // refreshed where they are old.
            sqlx::query("PRAGMA optimize").execute(&mut *conn).await?;
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(conn).await.map(|_| 0)
        }
        Upkeep::PurgeStreams(age) => purge_streams(conn, age).await,
        Upkeep::PurgeContexts => purge_contexts(conn).await,
        Upkeep::PurgeJobs(age) => purge_jobs(conn, age).await,
        Upkeep::PurgeAnswers => purge_answers(conn).await,
        Upkeep::PurgeUsage(age) => purge_usage(conn, age).await,
    }
}

async fn analyze(conn: &mut SqliteConnection) -> sqlx::Result<u64> {
    sqlx::query("PRAGMA analysis_limit = 1000").execute(&mut *conn).await?;
    for statement in
        ["ANALYZE chat_sessions", "ANALYZE chat_messages", "ANALYZE chat_contexts", "ANALYZE chat_references"]
    {
        sqlx::query(statement).execute(&mut *conn).await?;
    }
    Ok(0)
}

async fn purge_streams(conn: &mut SqliteConnection, age: Duration) -> sqlx::Result<u64> {
    sqlx::query(concat!(
        "DELETE FROM chat_streams WHERE (stream, last_seq) IN
           (SELECT stream, last_seq FROM chat_streams WHERE created_at < ",
        now!(),
        " - ?1 LIMIT ?2)"
    ))
    .bind(age.as_millis() as i64)
    .bind(STEP)
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
}

async fn purge_contexts(conn: &mut SqliteConnection) -> sqlx::Result<u64> {
    sqlx::query(concat!(
        "DELETE FROM chat_contexts WHERE (response, number) IN
           (SELECT response, number FROM chat_contexts WHERE expires_at <= ",
        now!(),
        " LIMIT ?1)"
    ))
    .bind(STEP)
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
}

async fn purge_jobs(conn: &mut SqliteConnection, age: Duration) -> sqlx::Result<u64> {
    sqlx::query(concat!(
        "DELETE FROM jobs WHERE id IN
           (SELECT id FROM jobs WHERE state >= 4 AND finished_at < ",
        now!(),
        " - CASE state WHEN 5 THEN ?1 * ?3 ELSE ?1 END LIMIT ?2)"
    ))
    .bind(age.as_millis() as i64)
    .bind(STEP)
    .bind(DEAD_STAYS)
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
}

async fn purge_answers(conn: &mut SqliteConnection) -> sqlx::Result<u64> {
    sqlx::query(concat!(
        "DELETE FROM idempotency_keys WHERE (tenant, key) IN
           (SELECT tenant, key FROM idempotency_keys WHERE created_at < ",
        now!(),
        " - ?1 LIMIT ?2)"
    ))
    .bind(super::read::ANSWER_AGE_MS)
    .bind(STEP)
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
}

/// Ids are in time order: no other index is needed to find old ones.
async fn purge_usage(conn: &mut SqliteConnection, age: Duration) -> sqlx::Result<u64> {
    let now = read_clock(conn).await?;
    let oldest = JobId::begin_of(Timestamp(now.0 - age.as_millis() as i64));
    sqlx::query("DELETE FROM chat_usage WHERE job IN (SELECT job FROM chat_usage WHERE job < ?1 ORDER BY job LIMIT ?2)")
        .bind(oldest.0)
        .bind(STEP)
        .execute(conn)
        .await
        .map(|done| done.rows_affected())
}
