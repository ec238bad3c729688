//! What the writer does inside one transaction. Requests of the hot path (plain enqueue, claim, events, plain success)
//! are done for the whole group at once; everything else one by one, each behind its own savepoint.

mod chat;
mod claim;
mod collections;
mod commit;
mod control;
mod documents;
mod engine;
mod enqueue;
mod events;
mod finish;
mod hashes;
mod keys;
mod lanes;
mod models;
mod usage;

pub(crate) use control::narrow;

use super::{
    read_clock,
    writer::{Op, Reply},
};
use chat_core::{
    Change, Claim, Committed, FairClock, Held, JobId, Lane, NewJob, Outcome, PortError, PortResult,
    Timestamp, WorkerId, Write, ports::Reaped,
};
use events::AppendRequest;
use serde_json::Value;
use sqlx_sqlite::SqliteConnection;
use std::time::Duration;

/// An answer that waits for its transaction to be durable.
pub(crate) struct Slot<T> {
    reply: Reply<T>,
    result: PortResult<T>,
}

impl<T: Default> Slot<T> {
    fn new(reply: Reply<T>) -> Self {
        Self { reply, result: Ok(T::default()) }
    }

    fn send(self) {
        self.reply.send(self.result).ok();
    }

    fn fail(self, error: PortError) {
        self.reply.send(Err(error)).ok();
    }
}

/// Who claims which jobs.
type ClaimRequest = (WorkerId, Vec<JobId>, Slot<Vec<Claim>>);

/// Who claims how many of which lane's backlog.
type NextClaim = (WorkerId, Lane, usize, Slot<Vec<Claim>>);

/// Who lives, and how many jobs of each lane it takes.
type Heartbeat = (WorkerId, Vec<(Lane, usize)>, Slot<()>);

/// The requests of one transaction, by how they are done.
#[derive(Default)]
pub(crate) struct Batch {
    enqueues: Vec<(Vec<NewJob>, Slot<Committed>)>,
    finishes: Vec<(Held, Option<Value>, Slot<Committed>)>,
    claims: Vec<ClaimRequest>,
    appends: Vec<AppendRequest>,
    commits: Vec<(Write, Slot<Committed>)>,
    next_claims: Vec<NextClaim>,
    promotes: Vec<Slot<(Vec<Lane>, Option<Timestamp>)>>,
    heartbeats: Vec<Heartbeat>,
    retires: Vec<(WorkerId, Slot<()>)>,
    reaps: Vec<(Duration, Duration, Slot<Reaped>)>,
}

impl Batch {
    pub(crate) fn sort(ops: Vec<Op>) -> Self {
        let mut batch = Self::default();
        for op in ops {
            match op {
                Op::Commit { write, reply } => batch.sort_write(*write, Slot::new(reply)),
                Op::Claim { worker, ids, reply } => batch.claims.push((worker, ids, Slot::new(reply))),
                Op::ClaimNext { worker, lane, limit, reply } => {
                    batch.next_claims.push((worker, lane, limit, Slot::new(reply)));
                }
                Op::PromoteDue { reply } => batch.promotes.push(Slot::new(reply)),
                Op::Heartbeat { worker, lanes, reply } => {
                    batch.heartbeats.push((worker, lanes, Slot::new(reply)));
                }
                Op::Retire { worker, reply } => batch.retires.push((worker, Slot::new(reply))),
                Op::Reap { lease, offer_again, reply } => {
                    batch.reaps.push((lease, offer_again, Slot::new(reply)));
                }
                Op::Upkeep { .. } => {} // never part of a group
            }
        }
        batch
    }

    fn sort_write(&mut self, write: Write, slot: Slot<Committed>) {
        match write {
            Write { held: Some(held), outcome: Some(Outcome::Succeeded { result }), changes }
                if changes.is_empty() =>
            {
                self.finishes.push((held, result, slot));
            }
            Write { held: None, outcome: None, changes } if changes.iter().all(enqueue::is_plain) => {
                let jobs = changes.into_iter().filter_map(|change| match change {
                    Change::Enqueue(job) => Some(*job),
                    _ => None,
                });
                self.enqueues.push((jobs.collect(), slot));
            }
            Write { held: Some(held), outcome: None, mut changes }
                if matches!(changes[..], [Change::AppendEvents(..)]) =>
            {
                if let Some(Change::AppendEvents(stream, events)) = changes.pop() {
                    self.appends.push((held, stream, events, slot));
                }
            }
            write => self.commits.push((write, slot)),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.enqueues.len()
            + self.finishes.len()
            + self.claims.len()
            + self.next_claims.len()
            + self.appends.len()
            + self.commits.len()
    }

    /// Tells everyone: it is durable.
    pub(crate) fn answer(self) {
        self.enqueues.into_iter().for_each(|(_, slot)| slot.send());
        self.finishes.into_iter().for_each(|(_, _, slot)| slot.send());
        self.claims.into_iter().for_each(|(_, _, slot)| slot.send());
        self.appends.into_iter().for_each(|(_, _, _, slot)| slot.send());
        self.commits.into_iter().for_each(|(_, slot)| slot.send());
        self.next_claims.into_iter().for_each(|(_, _, _, slot)| slot.send());
        self.promotes.into_iter().for_each(Slot::send);
        self.heartbeats.into_iter().for_each(|(_, _, slot)| slot.send());
        self.retires.into_iter().for_each(|(_, slot)| slot.send());
        self.reaps.into_iter().for_each(|(_, _, slot)| slot.send());
    }

    /// Tells everyone: nothing was written.
    pub(crate) fn fail(self, error: impl Fn() -> PortError) {
        self.enqueues.into_iter().for_each(|(_, slot)| slot.fail(error()));
        self.finishes.into_iter().for_each(|(_, _, slot)| slot.fail(error()));
        self.claims.into_iter().for_each(|(_, _, slot)| slot.fail(error()));
        self.appends.into_iter().for_each(|(_, _, _, slot)| slot.fail(error()));
        self.commits.into_iter().for_each(|(_, slot)| slot.fail(error()));
        self.next_claims.into_iter().for_each(|(_, _, _, slot)| slot.fail(error()));
        self.promotes.into_iter().for_each(|slot| slot.fail(error()));
        self.heartbeats.into_iter().for_each(|(_, _, slot)| slot.fail(error()));
        self.retires.into_iter().for_each(|(_, slot)| slot.fail(error()));
        self.reaps.into_iter().for_each(|(_, _, slot)| slot.fail(error()));
    }
}

/// What every statement of a transaction shares.
pub(crate) struct Tx<'a> {
    conn: &'a mut SqliteConnection,
    clock: &'a mut FairClock,
    now: Timestamp,
}

/// Does all of it. Heartbeats come before reaping: who asks is alive.
pub(crate) async fn run(
    conn: &mut SqliteConnection,
    clock: &mut FairClock,
    batch: &mut Batch,
) -> Result<(), sqlx::Error> {
    let now = read_clock(conn).await?;
    let mut tx = Tx { conn, clock, now };
    for (worker, lanes, _) in &batch.heartbeats {
        engine::heartbeat(&mut tx, *worker, lanes).await?;
    }
    // What a run said comes before what ends or reaps it.
    events::append_all(&mut tx, &mut batch.appends).await?;
    finish::succeed_all(&mut tx, &mut batch.finishes).await?;
    for (write, slot) in &mut batch.commits {
        slot.result = commit::run(&mut tx, std::mem::take(write)).await?;
    }
    enqueue::insert_all(&mut tx, &mut batch.enqueues).await?;
    for (worker, slot) in &mut batch.retires {
        slot.result = Ok(engine::retire(&mut tx, *worker).await?);
    }
    for (lease, offer_again, slot) in &mut batch.reaps {
        slot.result = Ok(engine::reap(&mut tx, *lease, *offer_again).await?);
    }
    for slot in &mut batch.promotes {
        slot.result = Ok(engine::promote_due(&mut tx).await?);
    }
    claim::claim_all(&mut tx, &mut batch.claims).await?;
    for (worker, lane, limit, slot) in &mut batch.next_claims {
        slot.result = Ok(claim::claim_next(&mut tx, *worker, *lane, *limit).await?);
    }
    Ok(())
}
