//! Pausing and resuming lanes.

use super::Tx;
use chat_core::{Committed, Lane};

/// What was handed out and not claimed yet waits in the backlog again.
pub(super) async fn pause(tx: &mut Tx<'_>, lane: Lane, committed: &mut Committed) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO paused_lanes (lane, paused_at) VALUES (?1, ?2) ON CONFLICT (lane) DO NOTHING")
        .bind(lane.as_str())
        .bind(tx.now.0)
        .execute(&mut *tx.conn)
        .await?;
    take_back(tx, lane, committed).await
}

/// Its backlog is announced, with what was handed out in vain meanwhile.
pub(super) async fn resume(tx: &mut Tx<'_>, lane: Lane, committed: &mut Committed) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM paused_lanes WHERE lane = ?1")
        .bind(lane.as_str())
        .execute(&mut *tx.conn)
        .await?;
    take_back(tx, lane, committed).await
}

async fn take_back(tx: &mut Tx<'_>, lane: Lane, committed: &mut Committed) -> sqlx::Result<()> {
    sqlx::query("UPDATE jobs SET state = 1, handed_at = NULL WHERE state = 2 AND lane = ?1")
        .bind(lane.as_str())
        .execute(&mut *tx.conn)
        .await?;
    committed.add_backlog(lane);
    Ok(())
}
