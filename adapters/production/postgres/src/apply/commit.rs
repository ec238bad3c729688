//! One request that is not on the hot path: all of its writes, or none.

use super::{
    Tx, answers, chat, collections, control, documents, enqueue, events, finish, keys, lanes, models, usage,
};
use crate::{
    clock::SharedClock,
    error::{is_connection, is_transient, port_error},
};
use chat_core::{Change, Committed, Held, PortError, PortResult, Timestamp, Write};
use rand::RngExt;
use sqlx::{Acquire, PgPool};
use std::{sync::Arc, time::Duration};

/// How often a transaction that lost against another is begun again.
const TRIES: u32 = 8;

/// Why a request was not done.
pub(super) enum Failed {
    /// It can never be done as it is.
    Refused(PortError),
    /// A statement failed.
    Sql(sqlx::Error),
    /// Whether the end of the transaction arrived is not known.
    Unclear(sqlx::Error),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<PortError> for Failed {
    fn from(error: PortError) -> Self {
        Self::Refused(error)
    }
}

/// Writes requests, each in a transaction of its own.
pub(crate) struct Commits {
    pool: PgPool,
    clock: Arc<SharedClock>,
}

impl Commits {
    /// As many at a time as the pool has connections.
    pub(crate) fn new(pool: PgPool, clock: Arc<SharedClock>) -> Self {
        Self { pool, clock }
    }

    /// Writes all of it in one transaction; begins again after a deadlock, a serialization failure, or on a connection
    /// that turned out to be dead before the end was sent.
    pub(crate) async fn run(&self, write: &Write) -> PortResult<Committed> {
        if write.changes.iter().any(|change| matches!(change, Change::Enqueue(_))) {
            self.clock.agree(&self.pool).await?;
        }
        let mut tries = 0;
        loop {
            tries += 1;
            match self.once(write).await {
                Ok(committed) => return Ok(committed),
                Err(Failed::Refused(error)) => return Err(error),
                Err(Failed::Sql(error))
                    if tries < TRIES && (is_transient(&error) || is_connection(&error)) =>
                {
                    tracing::debug!(%error, tries, "a transaction is begun again");
                    tokio::time::sleep(pause(tries)).await;
                }
                Err(Failed::Sql(error) | Failed::Unclear(error)) => return Err(port_error(error)),
            }
        }
    }

    async fn once(&self, write: &Write) -> Result<Committed, Failed> {
        let mut conn = self.pool.acquire().await?;
        let mut transaction = conn.begin().await?;
        let now = sqlx::query_scalar!(r#"SELECT chat_now() AS "now!""#)
            .fetch_one(&mut *transaction)
            .await
            .map(Timestamp)?;
        let mut tx = Tx { conn: &mut transaction, clock: &self.clock, now };
        let committed = apply(&mut tx, write).await?;
        transaction.commit().await.map_err(|error| {
            // A refusal of the commit itself is an answer; a lost connection is none.
            if is_connection(&error) { Failed::Unclear(error) } else { Failed::Sql(error) }
        })?;
        Ok(committed)
    }
}

/// Full jitter, 2 ms doubling: who collided once should not collide again.
fn pause(tries: u32) -> Duration {
    Duration::from_micros(rand::rng().random_range(0..2_000 << tries))
}

async fn apply(tx: &mut Tx<'_>, write: &Write) -> Result<Committed, Failed> {
    let mut committed = Committed::default();
    match (write.held, &write.outcome) {
        (Some(held), Some(outcome)) => {
            finish::finish(tx, held, outcome, &mut committed).await?.ok_or_else(finish::stale)?;
        }
        (Some(held), None) => guard(tx, held).await?,
        (None, _) => {}
    }
    for change in &write.changes {
        change_one(tx, change, &mut committed).await?;
    }
    Ok(committed)
}

/// Held to the end of the transaction: nobody can take the job over before these writes are done.
async fn guard(tx: &mut Tx<'_>, held: Held) -> Result<(), Failed> {
    sqlx::query!(
        "SELECT id FROM jobs WHERE id = $1 AND fence = $2 AND state + 0 = 3 FOR UPDATE",
        held.job.0,
        held.fence.0
    )
    .fetch_optional(&mut *tx.conn)
    .await?
    .map(drop)
    .ok_or_else(|| finish::stale().into())
}

async fn change_one(tx: &mut Tx<'_>, change: &Change, committed: &mut Committed) -> Result<(), Failed> {
    match change {
        Change::Enqueue(job) => Ok(enqueue::insert(tx, job, committed).await?),
        Change::ClearKey { tenant, key, busy } => enqueue::clear_key(tx, tenant, key, *busy, committed).await,
        Change::CancelJobs(filter, ids) => Ok(control::cancel(tx, filter, ids, committed).await?),
        Change::RetryJobs(filter, ids) => Ok(control::retry(tx, filter, ids, committed).await?),
        Change::DeleteJobs(filter, ids) => Ok(control::delete(tx, filter, ids, committed).await?),
        Change::JobProgress(job, progress) => {
            sqlx::query!("UPDATE jobs SET progress = $2 WHERE id = $1", job.0, progress.to_string())
                .execute(&mut *tx.conn)
                .await?;
            Ok(())
        }
        Change::AppendEvents(stream, list) => Ok(events::append(tx, *stream, list).await?),
        Change::RecordUsage(entry) => usage::record(tx, entry).await,
        Change::PauseLane(lane) => Ok(lanes::pause(tx, *lane, committed).await?),
        Change::ResumeLane(lane) => Ok(lanes::resume(tx, *lane, committed).await?),
        Change::KeepAnswer(answer) => answers::keep(tx, answer).await,
        Change::InsertKey(key) => keys::insert(tx, key).await,
        Change::RevokeKey(tenant, id) => keys::revoke(tx, tenant.as_ref(), *id).await,
        Change::InsertSession(_)
        | Change::UpdateSession { .. }
        | Change::DeleteSession(..)
        | Change::InsertMessage(_)
        | Change::InsertResponse(_)
        | Change::SaveContexts { .. }
        | Change::EndResponse(..)
        | Change::SaveSummary { .. } => chat::apply(tx, change.clone()).await,
        Change::VersionIndexed { .. }
        | Change::BuildModel { .. }
        | Change::SwitchModel(_)
        | Change::ForgetModel(_) => models::apply(tx, change).await,
        Change::InsertCollection(_)
        | Change::UpdateCollection { .. }
        | Change::HideCollection(..)
        | Change::PurgeCollection(_) => collections::apply(tx, change.clone(), committed).await,
        change => documents::apply(tx, change.clone(), committed).await,
    }
}
