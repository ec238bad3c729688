//! Rows in one SQLite file: a single writer that commits in groups, and a few readers.

mod apply;
mod error;
mod read;
mod upkeep;
mod writer;

use chat_core::{
    Claim, Committed, JobId, Lane, PortResult, Timestamp, WorkerId, Write,
    ports::{Reaped, Store, Upkeep},
};
use error::port_error;
use futures::future::BoxFuture;
use sqlx_sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::{path::PathBuf, time::Duration};
pub(crate) use writer::read_clock;
use writer::{Op, Writer};

/// The database's clock, in milliseconds, as an SQL expression. Leases are decided by it.
macro_rules! now {
    () => {
        "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
    };
}
pub(crate) use now;

/// How sure a commit is when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// On the disk: it survives a loss of power.
    #[default]
    Full,
    /// With the operating system: it survives a kill of the process.
    Normal,
}

/// Where and how the rows are kept.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The file; made if it is not there.
    pub path: PathBuf,
    /// How sure a commit is.
    pub synchronous: Synchronous,
    /// How many readers at most.
    pub readers: u32,
    /// How large the file may become, in pages of 4 KiB; beyond it the disk counts as full.
    pub max_pages: Option<u32>,
}

impl SqliteOptions {
    /// Durable commits and four readers.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), synchronous: Synchronous::Full, readers: 4, max_pages: None }
    }

    fn connect(&self) -> SqliteConnectOptions {
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(match self.synchronous {
                Synchronous::Full => SqliteSynchronous::Full,
                Synchronous::Normal => SqliteSynchronous::Normal,
            })
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(256)
            .pragma("temp_store", "memory")
            // Fewer, larger checkpoints: at full load one every few thousand jobs.
            .pragma("wal_autocheckpoint", "4000")
            .pragma("journal_size_limit", "67108864");
        match self.max_pages {
            Some(pages) => options.pragma("max_page_count", pages.to_string()),
            None => options,
        }
    }
}

/// Rows in SQLite.
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the file, brings its schema up to date, and forgets the workers of processes that are gone: the caller
    /// holds the data folder's lock, so no other process uses this file.
    pub fn open(options: SqliteOptions) -> BoxFuture<'static, PortResult<Self>> {
        Box::pin(async move {
            let readers = SqlitePoolOptions::new()
                .max_connections(options.readers.max(1))
                .min_connections(0)
                .idle_timeout(Duration::from_mins(5))
                .connect_lazy_with(options.connect());
            let writer = Writer::start(&options).await?;
            Ok(Self { readers, writer })
        })
    }

    /// Waits for the writes under way and closes the file.
    pub fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.writer.stop().await;
            self.readers.close().await;
        })
    }

    fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    pub(crate) async fn claim_jobs(&self, worker: WorkerId, ids: Vec<JobId>) -> PortResult<Vec<Claim>> {
        self.writer.ask(|reply| Op::Claim { worker, ids, reply }).await
    }

    pub(crate) async fn claim_next_jobs(
        &self,
        worker: WorkerId,
        lane: Lane,
        limit: usize,
    ) -> PortResult<Vec<Claim>> {
        self.writer.ask(|reply| Op::ClaimNext { worker, lane, limit, reply }).await
    }

    pub(crate) async fn promote_due_jobs(&self) -> PortResult<(Vec<Lane>, Option<Timestamp>)> {
        self.writer.ask(|reply| Op::PromoteDue { reply }).await
    }

    pub(crate) async fn beat(&self, worker: WorkerId, lanes: &[(Lane, usize)]) -> PortResult<()> {
        let lanes = lanes.to_vec();
        self.writer.ask(|reply| Op::Heartbeat { worker, lanes, reply }).await
    }

    pub(crate) async fn retire_worker(&self, worker: WorkerId) -> PortResult<()> {
        self.writer.ask(|reply| Op::Retire { worker, reply }).await
    }

    pub(crate) async fn reap_jobs(&self, lease: Duration, offer_again: Duration) -> PortResult<Reaped> {
        self.writer.ask(|reply| Op::Reap { lease, offer_again, reply }).await
    }
}

#[async_trait::async_trait]
impl Store for SqliteStore {
    async fn commit(&self, write: Write) -> PortResult<Committed> {
        self.writer.ask(|reply| Op::Commit { write: Box::new(write), reply }).await
    }

    async fn upkeep(&self, task: Upkeep) -> PortResult<u64> {
        self.writer.ask(|reply| Op::Upkeep { task, reply }).await
    }

    async fn ping(&self) -> PortResult<()> {
        sqlx::query("SELECT 1").execute(self.readers()).await.map(drop).map_err(port_error)
    }
}
