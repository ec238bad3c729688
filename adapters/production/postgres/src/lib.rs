//! The store on PostgreSQL.
//!
//! Requests of the hot path (accepted turns and the answers kept for them, plain enqueue, claim, events of a run, plain
//! success) are done in groups, one statement for many; every other commit is a transaction of its own, begun again if
//! it loses against another. Any number of processes write at once: rows are the only thing that they share.

mod apply;
mod batch;
mod clock;
mod doubt;
mod error;
mod read;
mod schema;
mod upkeep;

use apply::{Appends, Beginnings, Claims, Commits, Ended, Enqueues, LostClaims, Sorted, Successes};
use batch::Batcher;
use chat_core::{
    Claim, Committed, JobId, KeptAnswer, Lane, Outcome, PortResult, Timestamp, WorkerId, Write,
    ports::{Reaped, Store, Upkeep},
};
use clock::SharedClock;
use doubt::Doubts;
use error::port_error;
use futures::future::{BoxFuture, join_all};
use read::AnswerKey;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr, sync::Arc, time::Duration};

/// How long a request waits for a connection before it hears that the database is away.
const ACQUIRE: Duration = Duration::from_secs(4);
/// How many transactions are under way at a time, at most.
const TRANSACTIONS: u32 = 16;
/// Connections for claims, which do not wait for the disk.
const CLAIM_CONNECTIONS: u32 = 4;
/// Connections that are opened ahead of their use, for reads and for transactions.
const WARM: (u32, u32) = (8, 4);
/// The longest that a transaction waits for its next statement, well below a lease: a process that stands still within
/// one, or was cut off there, holds locks on rows that the reaper and other workers need.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(5);

/// Where the rows are, and how many connections may be open.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// `postgresql://user:password@host:port/database?sslmode=...`.
    pub url: String,
    /// The most connections for reads and for groups of writes.
    pub pool_size: u32,
    /// The most connections, beyond those, for transactions: they never wait for reads, nor reads for them. Both are
    /// opened as they are needed or by [`PostgresStore::warm`], used most recently first, and closed after ten idle
    /// minutes. To wait for one that is in use is shorter than to open another, which hashes a password thousands of
    /// times.
    pub max_overflow: u32,
    /// The longest that a statement may take.
    pub statement_timeout: Duration,
}

impl PostgresOptions {
    /// Twenty connections, thirty more under load, half a minute for a statement.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), pool_size: 20, max_overflow: 30, statement_timeout: Duration::from_secs(30) }
    }

    fn connect(&self) -> PortResult<PgConnectOptions> {
        let timeout = self.statement_timeout.as_millis().to_string();
        let idle = IDLE_IN_TRANSACTION.as_millis().to_string();
        let options = PgConnectOptions::from_str(&self.url).map_err(port_error)?;
        Ok(options.application_name("rag-chat").statement_cache_capacity(256).options([
            ("statement_timeout", timeout.as_str()),
            ("idle_in_transaction_session_timeout", idle.as_str()),
            // A statement is planned once and runs for as long as its connection lives. A table that is small then may be
            // large a minute later: reading all of it must not look cheap. (Where nothing else can be done, such a plan
            // looks very dear, and would be compiled.)
            ("enable_seqscan", "off"),
            ("jit", "off"),
        ]))
    }
}

/// The connections of a pool, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Open.
    pub size: u32,
    /// In use.
    pub checked_out: u32,
}

/// Rows in PostgreSQL.
pub struct PostgresStore {
    pool: PgPool,
    transactions: PgPool,
    claim_pool: PgPool,
    clock: Arc<SharedClock>,
    doubts: Doubts,
    lost: Arc<LostClaims>,
    begins: Beginnings,
    enqueues: Batcher<Enqueues, Committed>,
    successes: Batcher<Successes, Ended>,
    appends: Batcher<Appends, Committed>,
    turns: Batcher<Write, Committed>,
    commits: Arc<Commits>,
    claims: Batcher<Claims, Vec<Claim>>,
    answers: Batcher<AnswerKey, Option<KeptAnswer>>,
}

impl PostgresStore {
    /// Connects, and checks that the schema is this program's.
    pub fn connect(options: PostgresOptions) -> BoxFuture<'static, PortResult<Self>> {
        Box::pin(async move {
            let connect = options.connect()?;
            let open = |most: u32| {
                PgPoolOptions::new()
                    .max_connections(most.max(1))
                    .acquire_timeout(ACQUIRE)
                    .idle_timeout(Duration::from_mins(10))
                    .max_lifetime(Duration::from_hours(1))
                    .test_before_acquire(false)
                    .connect_lazy_with(connect.clone())
            };
            let pool = open(options.pool_size);
            let transactions = open(options.max_overflow.min(TRANSACTIONS));
            schema::check(&pool).await?;
            // A claim that a crash forgets is a second hand-out: its fence is random, so the first holder can do no harm.
            let claim_pool = PgPoolOptions::new()
                .max_connections(CLAIM_CONNECTIONS)
                .acquire_timeout(ACQUIRE)
                .test_before_acquire(false)
                .connect_lazy_with(connect.clone().options([("synchronous_commit", "off")]));
            let (clock, lost) = (Arc::new(SharedClock::default()), Arc::new(LostClaims::default()));
            let commits = Arc::new(Commits::new(transactions.clone(), clock.clone()));
            Ok(Self {
                enqueues: Batcher::start(&apply::enqueue_work(pool.clone(), clock.clone())),
                successes: Batcher::start(&apply::success_work(pool.clone())),
                appends: Batcher::start(&apply::append_work(pool.clone())),
                turns: Batcher::start(&apply::accept_work(
                    transactions.clone(),
                    clock.clone(),
                    commits.clone(),
                )),
                claims: Batcher::start(&apply::claim_work(claim_pool.clone(), lost.clone())),
                answers: Batcher::start(&read::answers_work(pool.clone())),
                commits,
                pool,
                transactions,
                claim_pool,
                clock,
                doubts: Doubts::default(),
                lost,
                begins: Beginnings::default(),
            })
        })
    }

    /// Opens connections ahead of their use. A process that takes another one's place is sent all its callers at once; to
    /// open a connection takes many times as long as to use it, and longest where the processors are busy. What cannot
    /// be opened is opened when it is needed.
    pub fn warm(&self) -> BoxFuture<'_, ()> {
        let (reads, transactions) = WARM;
        let pools = [(&self.pool, reads), (&self.transactions, transactions), (&self.claim_pool, 1)];
        Box::pin(async move {
            join_all(pools.map(|(pool, count)| {
                let most = pool.options().get_max_connections();
                // All are held until the last one is there: each is another.
                join_all((0..count.min(most)).map(|_| pool.acquire()))
            }))
            .await;
        })
    }

    /// Brings the schema up to date; safe to repeat. Returns its version.
    pub fn migrate(options: &PostgresOptions) -> BoxFuture<'_, PortResult<i64>> {
        Box::pin(async move { schema::migrate(&options.connect()?).await })
    }

    /// Waits for the statements under way and closes the connections.
    pub fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.claim_pool.close().await;
            self.transactions.close().await;
            self.pool.close().await;
        })
    }

    /// How many connections there are.
    pub fn pool_state(&self) -> PoolState {
        let pools = [&self.pool, &self.transactions, &self.claim_pool];
        let size = pools.iter().map(|pool| pool.size()).sum();
        let idle: usize = pools.iter().map(|pool| pool.num_idle()).sum();
        PoolState { size, checked_out: size.saturating_sub(idle as u32) }
    }

    async fn write(&self, write: Write) -> PortResult<Committed> {
        let alone = match apply::sort(write) {
            Sorted::Enqueues(jobs) => return self.enqueues.ask(jobs).await,
            Sorted::Append(append) => return self.appends.ask(append).await,
            Sorted::Turn(turn) => return self.turns.ask(turn).await,
            Sorted::Success((held, result)) => match self.successes.ask((held, result.clone())).await? {
                Ended::Done => return Ok(Committed::default()),
                Ended::Alone => Write::finish(held, Outcome::Succeeded { result }, Vec::new()),
            },
            Sorted::Other(write) => write,
        };
        // Apart: most writes are in a group, and would be moved about with the room that a transaction of their own needs.
        Box::pin(self.commits.run(&alone)).await
    }

    fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) async fn claim_jobs(&self, worker: WorkerId, ids: Vec<JobId>) -> PortResult<Vec<Claim>> {
        self.claims.ask((worker, ids)).await
    }

    pub(crate) async fn claim_next_jobs(
        &self,
        worker: WorkerId,
        lane: Lane,
        limit: usize,
    ) -> PortResult<Vec<Claim>> {
        self.clock.agree(&self.pool).await?;
        let notes = (&*self.lost, &self.begins);
        apply::claim_next(&self.claim_pool, notes, &self.clock, (worker, lane, limit)).await
    }

    pub(crate) async fn promote_due_jobs(&self) -> PortResult<(Vec<Lane>, Option<Timestamp>)> {
        apply::engine::promote_due(&self.pool).await.map_err(port_error)
    }

    pub(crate) async fn beat(&self, worker: WorkerId, lanes: &[(Lane, usize)]) -> PortResult<()> {
        // Before it says that it lives: what it does not know of must not live with it.
        self.lost.release(&self.pool).await.map_err(port_error)?;
        apply::engine::heartbeat(&self.pool, worker, lanes).await.map_err(port_error)
    }

    pub(crate) async fn retire_worker(&self, worker: WorkerId) -> PortResult<()> {
        apply::engine::retire(&self.pool, worker).await.map_err(port_error)
    }

    pub(crate) async fn reap_jobs(&self, lease: Duration, offer_again: Duration) -> PortResult<Reaped> {
        apply::engine::reap(&self.pool, lease, offer_again).await.map_err(port_error)
    }
}

#[async_trait::async_trait]
impl Store for PostgresStore {
    async fn commit(&self, write: Write) -> PortResult<Committed> {
        let ends = write.held.filter(|_| write.outcome.is_some());
        let result = self.write(write).await;
        match ends {
            Some(held) => self.doubts.settle(&self.pool, held, result).await,
            None => result,
        }
    }

    async fn upkeep(&self, task: Upkeep) -> PortResult<u64> {
        upkeep::run(&self.pool, task).await.map_err(port_error)
    }

    async fn ping(&self) -> PortResult<()> {
        sqlx::query("SELECT 1").execute(&self.pool).await.map(drop).map_err(port_error)
    }
}
