//! Pausing and resuming lanes. What another transaction claims or ends at the moment is left to it.

use super::Tx;
use chat_core::{Committed, Lane};

/// What was handed out and not claimed yet waits in the backlog again.
pub(super) async fn pause(tx: &mut Tx<'_>, lane: Lane, committed: &mut Committed) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO paused_lanes (lane, paused_at) VALUES ($1, $2) ON CONFLICT (lane) DO NOTHING",
        lane.as_str(),
        tx.now.0
    )
    .execute(&mut *tx.conn)
    .await?;
    take_back(tx, lane, committed).await
}

/// Its backlog is announced, with what was handed out in vain meanwhile.
pub(super) async fn resume(tx: &mut Tx<'_>, lane: Lane, committed: &mut Committed) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM paused_lanes WHERE lane = $1", lane.as_str()).execute(&mut *tx.conn).await?;
    take_back(tx, lane, committed).await
}

async fn take_back(tx: &mut Tx<'_>, lane: Lane, committed: &mut Committed) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH handed AS MATERIALIZED (
             SELECT id FROM jobs WHERE state = 2 AND lane = $1 ORDER BY id FOR UPDATE SKIP LOCKED
         )
         UPDATE jobs SET state = 1, handed_at = NULL FROM handed WHERE jobs.id = handed.id",
        lane.as_str()
    )
    .execute(&mut *tx.conn)
    .await?;
    committed.add_backlog(lane);
    Ok(())
}
