//! Group commit: one task owns the only writing connection. The first write goes at once; what arrives while its
//! transaction is on the way to the disk is the next group. Idle costs no wait, load makes groups.

use super::{
    SqliteOptions,
    apply::{self, Batch},
    error::{port_error, same},
    now, upkeep,
};
use chat_core::{
    Claim, Committed, FairClock, JobId, Lane, PortError, PortResult, Tenant, Timestamp, WorkerId, Write,
    ports::{Reaped, Upkeep},
};
use sqlx::{Connection, Row};
use sqlx_sqlite::SqliteConnection;
use std::time::Duration;
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};

/// The most writes of one transaction.
const GROUP: usize = 512;
/// How many writes may wait; beyond it callers wait for a place.
const QUEUE: usize = 16_384;

pub(crate) type Reply<T> = oneshot::Sender<PortResult<T>>;

/// One request to the writer.
pub(crate) enum Op {
    Commit { write: Box<Write>, reply: Reply<Committed> },
    Claim { worker: WorkerId, ids: Vec<JobId>, reply: Reply<Vec<Claim>> },
    ClaimNext { worker: WorkerId, lane: Lane, limit: usize, reply: Reply<Vec<Claim>> },
    PromoteDue { reply: Reply<(Vec<Lane>, Option<Timestamp>)> },
    Heartbeat { worker: WorkerId, lanes: Vec<(Lane, usize)>, reply: Reply<()> },
    Retire { worker: WorkerId, reply: Reply<()> },
    Reap { lease: Duration, offer_again: Duration, reply: Reply<Reaped> },
    Upkeep { task: Upkeep, reply: Reply<u64> },
}

pub(crate) struct Writer {
    ops: Mutex<Option<mpsc::Sender<Op>>>,
    fast: mpsc::WeakSender<Op>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) async fn start(options: &SqliteOptions) -> PortResult<Self> {
        let mut conn = SqliteConnection::connect_with(&options.connect()).await.map_err(port_error)?;
        sqlx::migrate!("../../migrations/sqlite")
            .run_direct(None, &mut conn, false)
            .await
            .map_err(|error| PortError::internal(format!("the database cannot be migrated: {error}")))?;
        // Whoever worked on this file before is gone: its jobs are free at once instead of after their lease.
        sqlx::query("DELETE FROM workers").execute(&mut conn).await.map_err(port_error)?;
        let clock = restore_clock(&mut conn).await.map_err(port_error)?;
        let (ops, queue) = mpsc::channel(QUEUE);
        #[allow(clippy::disallowed_methods)]
        // the writer outlives a drain: it ends when the last sender is gone
        let task = tokio::spawn(run(conn, clock, queue));
        let fast = ops.downgrade();
        Ok(Self { ops: Mutex::new(Some(ops)), fast, task: Mutex::new(Some(task)) })
    }

    /// Sends a request and waits until it is durable.
    pub(crate) async fn ask<T>(&self, op: impl FnOnce(Reply<T>) -> Op) -> PortResult<T> {
        let gone = || PortError::unavailable("the database is closed");
        let (reply, answer) = oneshot::channel();
        self.fast.upgrade().ok_or_else(gone)?.send(op(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    pub(crate) async fn stop(&self) {
        self.ops.lock().await.take();
        if let Some(task) = self.task.lock().await.take() {
            task.await.ok();
        }
    }
}

async fn restore_clock(conn: &mut SqliteConnection) -> sqlx::Result<FairClock> {
    let mut clock = FairClock::default();
    let rows = sqlx::query(
        "SELECT lane, tenant, min(vtime) AS first, max(vtime) AS last FROM jobs WHERE state = 1 GROUP BY lane, tenant",
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        if let Some(lane) = Lane::parse(row.get("lane")) {
            let tenant: &str = row.get("tenant");
            clock.restore(lane, Tenant::from(tenant), row.get("first"), row.get("last"));
        }
    }
    Ok(clock)
}

async fn run(mut conn: SqliteConnection, mut clock: FairClock, mut queue: mpsc::Receiver<Op>) {
    let mut group = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut group, GROUP).await > 0 {
        let mut rest = Vec::with_capacity(group.len());
        for op in group.drain(..) {
            // A clean-up cannot be part of a transaction (VACUUM), and may take long: it goes alone.
            match op {
                Op::Upkeep { task, reply } => {
                    reply.send(upkeep::run(&mut conn, task).await.map_err(port_error)).ok();
                }
                op => rest.push(op),
            }
        }
        if !rest.is_empty() {
            commit_group(&mut conn, &mut clock, rest).await;
        }
    }
    conn.close().await.ok();
}

/// One transaction. Answers are sent only after it is durable; if it fails, everyone in it hears why.
async fn commit_group(conn: &mut SqliteConnection, clock: &mut FairClock, ops: Vec<Op>) {
    let mut batch = Batch::sort(ops);
    let result = async {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await?;
        apply::run(conn, clock, &mut batch).await?;
        sqlx::query("COMMIT").execute(&mut *conn).await
    }
    .await;
    match result {
        Ok(_) => batch.answer(),
        Err(error) => {
            sqlx::query("ROLLBACK").execute(&mut *conn).await.ok();
            let error = port_error(error);
            tracing::warn!(error = %error, source = error.cause(), writes = batch.len(), "a group of writes was not committed");
            batch.fail(|| same(&error));
        }
    }
}

/// The database's clock, read once.
pub(crate) async fn read_clock(conn: &mut SqliteConnection) -> sqlx::Result<Timestamp> {
    sqlx::query_scalar(concat!("SELECT ", now!())).fetch_one(conn).await.map(Timestamp)
}
