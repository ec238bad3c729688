//! What the store writes.
//!
//! Whoever looks for running jobs by their ids writes `state + 0 = 3`. With `state = 3` the planner may look through the
//! whole index of running jobs for each id: by its statistics there are none, but a dead entry of every job that ran
//! since the last vacuum is in it (seen: 6 seconds for a group of 256 ends, after three million jobs).
//!
//! Whoever picks rows to lock and write picks them `AS MATERIALIZED`. A plain subquery may be run once for each row of
//! the table that is written; it passes over what this very statement has written, so it finds others each time, and
//! its LIMIT means nothing (seen: a claim of 2 jobs took all 17).

/// A statement about one thing.
macro_rules! run {
    ($tx:expr, $sql:literal, $id:expr) => {
        sqlx::query!($sql, $id).execute(&mut *$tx.conn).await?
    };
}

mod accept;
mod answers;
mod backlog;
mod chat;
mod claim;
mod collections;
mod commit;
mod control;
mod documents;
pub(crate) mod engine;
mod enqueue;
mod events;
mod finish;
mod hashes;
mod keys;
mod lanes;
mod models;
mod usage;
mod words;

pub(crate) use accept::accept_work;
pub(crate) use backlog::{Beginnings, claim_next};
pub(crate) use claim::{LostClaims, claim_work};
pub(crate) use commit::Commits;
pub(crate) use control::narrow;
pub(crate) use enqueue::enqueue_work;
pub(crate) use events::append_work;
pub(crate) use finish::{Ended, success_work};

use crate::clock::SharedClock;
use chat_core::{Change, Event, Held, JobId, NewJob, Outcome, StreamId, Timestamp, WorkerId, Write};
use serde_json::Value;
use sqlx::PgConnection;

/// Jobs that need no look at other rows.
pub(crate) type Enqueues = Vec<NewJob>;
/// A run that succeeded and has nothing else to write.
pub(crate) type Successes = (Held, Option<Value>);
/// The events of a run.
pub(crate) type Appends = (Held, StreamId, Vec<Event>);
/// Who claims which jobs.
pub(crate) type Claims = (WorkerId, Vec<JobId>);

/// A write, by how it is done.
pub(crate) enum Sorted {
    Enqueues(Enqueues),
    Success(Successes),
    Append(Appends),
    /// An accepted turn.
    Turn(Write),
    Other(Write),
}

/// Finds what can be done in groups.
pub(crate) fn sort(write: Write) -> Sorted {
    match write {
        Write { held: Some(held), outcome: Some(Outcome::Succeeded { result }), changes }
            if changes.is_empty() =>
        {
            Sorted::Success((held, result))
        }
        Write { held: None, outcome: None, changes } if changes.iter().all(enqueue::is_plain) => {
            let jobs = changes.into_iter().filter_map(|change| match change {
                Change::Enqueue(job) => Some(*job),
                _ => None,
            });
            Sorted::Enqueues(jobs.collect())
        }
        Write { held: Some(held), outcome: None, mut changes }
            if matches!(changes[..], [Change::AppendEvents(..)]) =>
        {
            match changes.pop() {
                Some(Change::AppendEvents(stream, events)) => Sorted::Append((held, stream, events)),
                _ => Sorted::Other(Write::under(held, changes)),
            }
        }
        write if accept::is_turn(&write) => Sorted::Turn(write),
        write => Sorted::Other(write),
    }
}

/// What every statement of a transaction shares.
pub(crate) struct Tx<'a> {
    conn: &'a mut PgConnection,
    clock: &'a SharedClock,
    /// The database's clock when the transaction began.
    now: Timestamp,
}
