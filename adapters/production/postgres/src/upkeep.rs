//! Clean-up, in bounded steps that never block the chat.

use chat_core::{JobId, Timestamp, ports::Upkeep};
use sqlx::PgPool;
use std::time::Duration;

/// Rows that one step removes.
const STEP: i64 = 1_000;
/// Dead jobs stay this many times longer than others: somebody may want to look at them.
const DEAD_STAYS: i64 = 4;

pub(crate) async fn run(pool: &PgPool, task: Upkeep) -> sqlx::Result<u64> {
    match task {
        Upkeep::Analyze => {
            all(pool, &["ANALYZE chat_sessions, chat_messages, chat_contexts, chat_references"]).await
        }
        Upkeep::Reindex => {
            all(
                pool,
                &[
                    "REINDEX INDEX CONCURRENTLY idx_chat_messages_session_created",
                    "REINDEX INDEX CONCURRENTLY idx_chat_contexts_relevance",
                ],
            )
            .await
        }
        Upkeep::Vacuum => all(pool, &["VACUUM ANALYZE chat_messages", "VACUUM ANALYZE chat_sessions"]).await,
        Upkeep::PurgeStreams(age) => sqlx::query!(
            "DELETE FROM chat_streams WHERE (stream, last_seq) IN
                   (SELECT stream, last_seq FROM chat_streams WHERE created_at < chat_now() - $1 LIMIT $2)",
            age.as_millis() as i64,
            STEP
        )
        .execute(pool)
        .await
        .map(|done| done.rows_affected()),
        Upkeep::PurgeContexts => sqlx::query!(
            "DELETE FROM chat_contexts WHERE (response, number) IN
                   (SELECT response, number FROM chat_contexts
                   WHERE expires_at <= chat_now() - $1 LIMIT $2)",
            0_i64,
            STEP
        )
        .execute(pool)
        .await
        .map(|done| done.rows_affected()),
        Upkeep::PurgeJobs(age) => purge_jobs(pool, age).await,
        Upkeep::PurgeAnswers => sqlx::query!(
            "DELETE FROM idempotency_keys WHERE (tenant, key) IN
                   (SELECT tenant, key FROM idempotency_keys WHERE created_at < chat_now() - $1 LIMIT $2)",
            crate::read::ANSWER_AGE_MS,
            STEP
        )
        .execute(pool)
        .await
        .map(|done| done.rows_affected()),
        Upkeep::PurgeUsage(age) => purge_usage(pool, age).await,
    }
}

/// Statements that cannot be part of a transaction and may take long.
async fn all(pool: &PgPool, statements: &[&'static str]) -> sqlx::Result<u64> {
    let mut conn = pool.acquire().await?;
    sqlx::query("SET statement_timeout = 0").execute(&mut *conn).await?;
    let done = async {
        for statement in statements {
            sqlx::query(*statement).execute(&mut *conn).await?;
        }
        Ok(0)
    }
    .await;
    // Whoever gets this connection next has the timeout again, however this ended.
    sqlx::query("RESET statement_timeout").execute(&mut *conn).await?;
    done
}

async fn purge_jobs(pool: &PgPool, age: Duration) -> sqlx::Result<u64> {
    sqlx::query!(
        "DELETE FROM jobs WHERE id IN
           (SELECT id FROM jobs WHERE state >= 4
            AND finished_at < chat_now() - CASE state WHEN 5 THEN $1::bigint * $3 ELSE $1 END LIMIT $2)",
        age.as_millis() as i64,
        STEP,
        DEAD_STAYS
    )
    .execute(pool)
    .await
    .map(|done| done.rows_affected())
}

/// Ids are in time order: no other index is needed to find old ones.
async fn purge_usage(pool: &PgPool, age: Duration) -> sqlx::Result<u64> {
    let now = sqlx::query_scalar!(r#"SELECT chat_now() AS "now!""#).fetch_one(pool).await?;
    let oldest = JobId::begin_of(Timestamp(now - age.as_millis() as i64));
    sqlx::query!(
        "DELETE FROM chat_usage WHERE job IN (SELECT job FROM chat_usage WHERE job < $1 ORDER BY job LIMIT $2)",
        oldest.0,
        STEP
    )
    .execute(pool)
    .await
    .map(|done| done.rows_affected())
}
