//! Counts of what callers use, in the memory of this process.

use async_trait::async_trait;
use chat_core::{
    JobId, Limit, Standing, Tally, Tenant,
    ports::{Clock, Limiter, Taken},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a job is remembered whose tokens were counted.
const REMEMBERED: Duration = Duration::from_hours(1);
/// How many entries there are before old ones are looked for the first time.
const FEW: usize = 1_024;
/// More entries than this are not kept: who would fill the memory loses all counts instead.
const MOST: usize = 1_000_000;

/// Counts in the memory of this process: others know nothing of them, and a restart forgets them.
pub struct MemoryLimiter {
    clock: Arc<dyn Clock>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    tallies: HashMap<(Tenant, String), Kept>,
    /// Jobs whose tokens were counted, and until when that is remembered, in milliseconds.
    spent: HashMap<JobId, u64>,
    /// How many entries there may be before old ones are removed.
    room: usize,
}

#[derive(Clone, Copy, Default)]
struct Kept {
    tally: Tally,
    /// From then on it is as if it were not there, in milliseconds.
    until: u64,
}

impl MemoryLimiter {
    /// Nothing is counted yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, counts: Mutex::default() }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().0).unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn find(&self, tenant: &Tenant, limit: &Limit, now: u64) -> Tally {
        let kept = self.tallies.get(&(tenant.clone(), limit.counter())).copied().unwrap_or_default();
        kept.tally.at(limit.window, now)
    }

    fn add(&mut self, tenant: &Tenant, limit: &Limit, amount: u64, now: u64) {
        self.make_room(now);
        let mut tally = self.find(tenant, limit, now);
        tally.count = tally.count.saturating_add(amount);
        let until = (tally.window + 2).saturating_mul(limit.window.length_ms());
        self.tallies.insert((tenant.clone(), limit.counter()), Kept { tally, until });
    }

    /// Forgets what says nothing any more, whenever there is twice as much as was left the last time.
    fn make_room(&mut self, now: u64) {
        if self.tallies.len() + self.spent.len() < self.room.max(FEW) {
            return;
        }
        self.tallies.retain(|_, kept| kept.until > now);
        self.spent.retain(|_, until| *until > now);
        if self.tallies.len() + self.spent.len() > MOST {
            *self = Self::default();
        }
        self.room = 2 * (self.tallies.len() + self.spent.len());
    }
}

#[async_trait]
impl Limiter for MemoryLimiter {
    async fn take(&self, tenant: &Tenant, limits: &[Limit]) -> Taken {
        let (now, mut counts) = (self.now(), self.lock());
        let has_room = |limit: &Limit| counts.find(tenant, limit, now).used(limit.window, now) < limit.most;
        let admitted = limits.iter().all(has_room);
        if admitted {
            for limit in limits {
                counts.add(tenant, limit, 1, now);
            }
        }
        let standings =
            limits.iter().map(|limit| counts.find(tenant, limit, now).standing(limit, now)).collect();
        Taken { admitted, standings }
    }

    async fn look(&self, tenant: &Tenant, limits: &[Limit]) -> Vec<Standing> {
        let (now, counts) = (self.now(), self.lock());
        limits.iter().map(|limit| counts.find(tenant, limit, now).standing(limit, now)).collect()
    }

    async fn spend(&self, tenant: &Tenant, limits: &[Limit], amount: u64, job: JobId) {
        let (now, mut counts) = (self.now(), self.lock());
        if limits.is_empty() {
            return;
        }
        counts.make_room(now);
        let until = now + REMEMBERED.as_millis() as u64;
        if counts.spent.insert(job, until).is_some_and(|before| before > now) {
            return;
        }
        for limit in limits {
            counts.add(tenant, limit, amount, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_core::{Limits, Timestamp};
    use std::sync::atomic::{AtomicI64, Ordering};

    /// A clock that is set by hand.
    #[derive(Default)]
    struct Hand(AtomicI64);

    #[async_trait]
    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.load(Ordering::Relaxed))
        }

        async fn sleep(&self, _: Duration) {}
    }

    #[tokio::test]
    async fn what_is_over_is_forgotten() {
        let clock = Arc::new(Hand::default());
        let limiter = MemoryLimiter::new(clock.clone());
        let limits = Limits { tenant_requests: 5, ..Limits::default() }.requests(None);
        for minute in 0..50 {
            clock.0.store(minute * 60_000, Ordering::Relaxed);
            for n in 0..100 {
                let tenant = Tenant::from(format!("租户 {minute} {n}").as_str());
                assert!(limiter.take(&tenant, &limits).await.admitted);
                limiter.spend(&tenant, &limits, 1, JobId::new()).await;
            }
        }
        let counts = limiter.lock();
        // Three minutes of tenants, an hour of jobs.
        assert!(counts.tallies.len() <= 5_000 && counts.spent.len() <= 5_000);
        drop(counts);
        clock.0.store(200 * 60_000, Ordering::Relaxed);
        limiter.lock().room = 0;
        limiter.lock().make_room(200 * 60_000);
        let counts = limiter.lock();
        assert_eq!((counts.tallies.len(), counts.spent.len()), (0, 0));
    }

    #[tokio::test]
    async fn the_day_of_the_quota_ends_at_midnight() {
        let clock = Arc::new(Hand::default());
        let limiter = MemoryLimiter::new(clock.clone());
        let (tenant, day) = (Tenant::default(), 24 * 3_600_000);
        let limits = Limits { tenant_tokens: 100, ..Limits::default() }.tokens(None);
        clock.0.store(day * 20_000 + 3_600_000, Ordering::Relaxed);
        limiter.spend(&tenant, &limits, 150, JobId::new()).await;
        let standing = limiter.look(&tenant, &limits).await[0];
        assert_eq!((standing.used, standing.left(), standing.wait), (150, 0, Duration::from_hours(23)));
        clock.0.store(day * 20_001, Ordering::Relaxed);
        assert_eq!(limiter.look(&tenant, &limits).await[0].used, 0);
    }
}
