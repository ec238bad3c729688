//! The end of a run whose answer was lost with the connection: it is sent again, and finds the claim gone because it
//! was the first one that ended it. That is no stale claim.

use crate::error::port_error;
use chat_core::{Committed, ErrorKind, Fence, Held, PortResult};
use sqlx::PgPool;
use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// More than that were given up by their workers.
const MOST: usize = 16_384;

/// Ends that may or may not have been committed. One leaves when it is sent again, which a worker does until it is
/// answered; runs under way bound how many there are.
#[derive(Default)]
pub(crate) struct Doubts(Mutex<HashSet<Fence>>);

impl Doubts {
    /// Remembers an end that was not answered, and recognizes its own.
    pub(crate) async fn settle(
        &self,
        pool: &PgPool,
        held: Held,
        result: PortResult<Committed>,
    ) -> PortResult<Committed> {
        let kind = result.as_ref().err().map(|error| error.kind);
        if kind == Some(ErrorKind::Unavailable) {
            let mut doubts = self.lock();
            if doubts.len() >= MOST {
                doubts.clear();
            }
            doubts.insert(held.fence);
            drop(doubts);
            return result;
        }
        let doubted = self.lock().remove(&held.fence);
        if doubted && kind == Some(ErrorKind::Stale) && Box::pin(was_ended(pool, held)).await? {
            return Ok(Committed::default()); // the relay finds by itself what this set free
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Fence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether this claim is the last one and no longer runs: then its own end was committed.
async fn was_ended(pool: &PgPool, held: Held) -> PortResult<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM jobs WHERE id = $1 AND fence = $2 AND state >= 4) AS "ended!""#,
        held.job.0,
        held.fence.0
    )
    .fetch_one(pool)
    .await
    .map_err(port_error)
}
