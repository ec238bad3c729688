//! Counts of what callers use, shared by all processes. All counters of a tenant are on one node of a cluster, so that a
//! request is one round trip; while Redis is away each process goes by counts of its own.

use crate::{link::Link, names::Names};
use async_trait::async_trait;
use chat_core::{
    JobId, Limit, Standing, Tally, Tenant,
    ports::{Limiter, Taken},
};
use chat_embedded::{MemoryLimiter, SystemClock};
use redis::Script;
use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;

/// How long a request waits for its counts: being answered matters more than being counted.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a job is remembered whose tokens were counted.
const REMEMBERED: Duration = Duration::from_hours(1);
/// How many jobs' tokens are kept for later while Redis is away.
const MOST_OWED: usize = 10_000;

/// Counts in Redis.
pub struct RedisLimiter {
    shared: Arc<Shared>,
    /// What is counted while Redis is away.
    alone: MemoryLimiter,
}

struct Shared {
    link: Arc<Link>,
    names: Arc<Names>,
    take: Script,
    spend: Script,
    owed: Mutex<Vec<Spent>>,
    /// The last count failed: that was said, and need not be said again.
    failing: AtomicBool,
}

/// Tokens that a job has used.
#[derive(Clone)]
struct Spent {
    tenant: Tenant,
    limits: Vec<Limit>,
    amount: u64,
    job: JobId,
}

impl RedisLimiter {
    pub(crate) fn start(link: Arc<Link>, names: Arc<Names>) -> Self {
        let shared = Arc::new(Shared {
            link,
            names,
            take: Script::new(include_str!("take.lua")),
            spend: Script::new(include_str!("spend.lua")),
            owed: Mutex::default(),
            failing: AtomicBool::new(false),
        });
        #[allow(clippy::disallowed_methods)] // ends with the link
        tokio::spawn(settle_later(shared.clone()));
        Self { shared, alone: MemoryLimiter::new(Arc::new(SystemClock)) }
    }
}

/// Counts what could not be counted as soon as Redis is back.
async fn settle_later(shared: Arc<Shared>) {
    let mut up = shared.link.watch();
    while up.wait_for(|up| *up).await.is_ok() {
        shared.settle().await;
        if up.wait_for(|up| !*up).await.is_err() {
            return;
        }
    }
}

impl Shared {
    /// One round trip: looks at the counters, and counts `much` if all have room.
    async fn ask(&self, tenant: &Tenant, limits: &[Limit], much: u64) -> redis::RedisResult<Taken> {
        let mut call = self.take.prepare_invoke();
        call.arg(much);
        for limit in limits {
            call.key(self.names.counter(tenant, &limit.counter()));
            call.arg(limit.most).arg(limit.window.length_ms()).arg(u8::from(limit.window.slides()));
        }
        let answer: Vec<u64> = in_time(self.link.run(&call)).await?;
        let (head, rest) = answer.split_at(answer.len().min(2));
        let now = head.first().copied().unwrap_or(0);
        let tallies =
            rest.as_chunks().0.iter().map(|&[window, count, before]| Tally { window, count, before });
        let standings = limits.iter().zip(tallies).map(|(limit, tally)| tally.standing(limit, now)).collect();
        Ok(Taken { admitted: head.get(1) == Some(&1), standings })
    }

    async fn spend(&self, spent: &Spent) -> redis::RedisResult<()> {
        let mut call = self.spend.prepare_invoke();
        call.key(self.names.spent(&spent.tenant, spent.job));
        call.arg(spent.amount).arg(REMEMBERED.as_millis() as u64);
        for limit in &spent.limits {
            call.key(self.names.counter(&spent.tenant, &limit.counter())).arg(limit.window.length_ms());
        }
        in_time(self.link.run::<()>(&call)).await
    }

    fn owe(&self, spent: Spent) {
        let mut owed = self.owed();
        if owed.len() < MOST_OWED {
            owed.push(spent);
        }
    }

    /// Counts what is owed; what cannot be counted stays owed. A job that was counted after all is not counted twice.
    async fn settle(&self) {
        let mut owed = std::mem::take(&mut *self.owed()).into_iter();
        while let Some(spent) = owed.next() {
            if self.heed(self.spend(&spent).await).is_none() {
                self.owe(spent);
                owed.for_each(|spent| self.owe(spent));
                return;
            }
        }
    }

    /// Says once that counting fails, and again when it has worked in between.
    fn heed<T>(&self, result: redis::RedisResult<T>) -> Option<T> {
        match result {
            Ok(value) => {
                self.failing.store(false, Ordering::Relaxed);
                Some(value)
            }
            Err(error) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "requests cannot be counted in Redis: this process counts by itself until they can");
                }
                None
            }
        }
    }

    fn owed(&self) -> MutexGuard<'_, Vec<Spent>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn in_time<T>(answer: impl Future<Output = redis::RedisResult<T>>) -> redis::RedisResult<T> {
    timeout(PATIENCE, answer).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

#[async_trait]
impl Limiter for RedisLimiter {
    async fn take(&self, tenant: &Tenant, limits: &[Limit]) -> Taken {
        match self.shared.heed(self.shared.ask(tenant, limits, 1).await) {
            Some(taken) => taken,
            None => self.alone.take(tenant, limits).await,
        }
    }

    async fn look(&self, tenant: &Tenant, limits: &[Limit]) -> Vec<Standing> {
        match self.shared.heed(self.shared.ask(tenant, limits, 0).await) {
            Some(looked) => looked.standings,
            None => self.alone.look(tenant, limits).await,
        }
    }

    async fn spend(&self, tenant: &Tenant, limits: &[Limit], amount: u64, job: JobId) {
        let spent = Spent { tenant: tenant.clone(), limits: limits.to_vec(), amount, job };
        if self.shared.heed(self.shared.spend(&spent).await).is_none() {
            self.alone.spend(tenant, limits, amount, job).await;
            self.shared.owe(spent);
        } else if !self.shared.owed().is_empty() {
            self.shared.settle().await;
        }
    }
}
