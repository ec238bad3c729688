//! One request that is not on the hot path: all of its writes, or none.

use super::{Tx, chat, collections, control, documents, enqueue, events, finish, keys, lanes, models, usage};
use crate::sqlite::error::{kind, port_error};
use chat_core::{Change, Committed, ErrorKind, Held, PortError, PortResult, Write};

/// Outer error: the transaction is lost for everyone in it. Inner error: this request changed nothing.
pub(super) async fn run(tx: &mut Tx<'_>, write: Write) -> sqlx::Result<PortResult<Committed>> {
    sqlx::query("SAVEPOINT request").execute(&mut *tx.conn).await?;
    let result = match apply(tx, write).await {
        Ok(committed) => Ok(committed),
        Err(Failed::Refused(error)) => Err(error),
        // A full disk has ended the transaction already: the savepoint is gone with it.
        Err(Failed::Sql(error)) if kind(&error) == ErrorKind::Unavailable => return Err(error),
        Err(Failed::Sql(error)) => Err(port_error(error)),
    };
    if result.is_err() {
        sqlx::query("ROLLBACK TO request").execute(&mut *tx.conn).await?;
    }
    sqlx::query("RELEASE request").execute(&mut *tx.conn).await?;
    Ok(result)
}

/// Why a request was not done.
pub(super) enum Failed {
    Refused(PortError),
    Sql(sqlx::Error),
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

async fn apply(tx: &mut Tx<'_>, write: Write) -> Result<Committed, Failed> {
    let mut committed = Committed::default();
    match (write.held, &write.outcome) {
        (Some(held), Some(outcome)) => {
            finish::finish(tx, held, outcome, &mut committed).await?.ok_or_else(finish::stale)?;
        }
        (Some(held), None) => guard(tx, held).await?,
        (None, _) => {}
    }
    for change in write.changes {
        change_one(tx, change, &mut committed).await?;
    }
    Ok(committed)
}

async fn guard(tx: &mut Tx<'_>, held: Held) -> Result<(), Failed> {
    sqlx::query("SELECT 1 FROM jobs WHERE id = ?1 AND fence = ?2 AND state = 3")
        .bind(held.job.0)
        .bind(held.fence.0)
        .fetch_optional(&mut *tx.conn)
        .await?
        .map(drop)
        .ok_or_else(|| finish::stale().into())
}

async fn change_one(tx: &mut Tx<'_>, change: Change, committed: &mut Committed) -> Result<(), Failed> {
    match change {
        Change::Enqueue(job) => Ok(enqueue::insert(tx, &job, committed).await?),
        Change::ClearKey { tenant, key, busy } => {
            enqueue::clear_key(tx, &tenant, &key, busy, committed).await
        }
        Change::CancelJobs(filter, ids) => Ok(control::cancel(tx, &filter, &ids, committed).await?),
        Change::RetryJobs(filter, ids) => Ok(control::retry(tx, &filter, &ids, committed).await?),
        Change::DeleteJobs(filter, ids) => Ok(control::delete(tx, &filter, &ids, committed).await?),
        Change::JobProgress(job, progress) => {
            sqlx::query("UPDATE jobs SET progress = ?2 WHERE id = ?1")
                .bind(job.0)
                .bind(progress.to_string())
                .execute(&mut *tx.conn)
                .await?;
            Ok(())
        }
        Change::AppendEvents(stream, list) => Ok(events::append(tx, stream, &list).await?),
        Change::RecordUsage(entry) => usage::record(tx, &entry).await,
        Change::PauseLane(lane) => Ok(lanes::pause(tx, lane, committed).await?),
        Change::ResumeLane(lane) => Ok(lanes::resume(tx, lane, committed).await?),
        Change::InsertKey(key) => keys::insert(tx, &key).await,
        Change::RevokeKey(tenant, id) => keys::revoke(tx, tenant.as_ref(), id).await,
        change @ (Change::InsertSession(_)
        | Change::UpdateSession { .. }
        | Change::DeleteSession(..)
        | Change::InsertMessage(_)
        | Change::InsertResponse(_)
        | Change::SaveContexts { .. }
        | Change::EndResponse(..)
        | Change::SaveSummary { .. }
        | Change::KeepAnswer(_)) => chat::apply(tx, change).await,
        change @ (Change::VersionIndexed { .. }
        | Change::BuildModel { .. }
        | Change::SwitchModel(_)
        | Change::ForgetModel(_)) => models::apply(tx, &change).await,
        change @ (Change::InsertCollection(_)
        | Change::UpdateCollection { .. }
        | Change::HideCollection(..)
        | Change::PurgeCollection(_)) => collections::apply(tx, change, committed).await,
        change => documents::apply(tx, change, committed).await,
    }
}
