//! A job that does nothing but touch the cache and say when it began.

use async_trait::async_trait;
use chat_core::{Change, Lane, NewJob, RetryPolicy, Tenant, ports::Ports};
use chat_jobs::{Done, JobContext, JobError, JobKind};
use serde::{Deserialize, Serialize};
use std::{
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Notify, task::JoinSet};

use super::rig::failed;
use crate::failure::{Failure, Outcome};

static BEGUN: AtomicUsize = AtomicUsize::new(0);
static LAST: Mutex<Option<Instant>> = Mutex::new(None);
static WAKE: Notify = Notify::const_new();

static TOUCHED: LazyLock<Arc<str>> = LazyLock::new(|| "1".into());
const TIMEOUT: Duration = Duration::from_secs(10);

/// How many callers enqueue at a time.
const CALLERS: usize = 512;

/// The job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Probe {}

#[async_trait]
impl JobKind for Probe {
    const KIND: &'static str = "bench_probe.v1";
    const LANE: Lane = Lane::Default;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 3, base: Duration::from_secs(1), cap: Duration::from_secs(1) };
    const TIMEOUT: Duration = TIMEOUT;

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        // Queues are compared by jobs that ask Redis once; inside one process this is a look into a map.
        cx.ports.cache.put("bench", TOUCHED.clone(), TIMEOUT).await;
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        BEGUN.fetch_add(1, Ordering::Release);
        WAKE.notify_one();
        Ok(Done::default())
    }
}

impl Probe {
    /// How many began since the process did.
    pub(super) fn begun() -> usize {
        BEGUN.load(Ordering::Acquire)
    }

    /// Waits until so many began; when the last one did.
    pub(super) async fn wait_for(count: usize) -> Instant {
        while Self::begun() < count {
            WAKE.notified().await;
        }
        LAST.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(Instant::now)
    }

    fn change() -> Change {
        let job: NewJob = Self {}.job(&Tenant::default());
        Change::Enqueue(Box::new(job))
    }

    /// Enqueues one, durably.
    pub(super) async fn enqueue(ports: &Ports) -> Outcome<()> {
        ports.dispatcher().record(vec![Self::change()]).await.map(drop).map_err(failed)
    }

    /// Enqueues many from many callers, a commit each; how long it took.
    pub(super) async fn enqueue_many(ports: &Ports, count: usize) -> Outcome<Duration> {
        let started = Instant::now();
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let share = count / CALLERS + usize::from(caller < count % CALLERS);
            let dispatcher = ports.dispatcher();
            callers.spawn(async move {
                for _ in 0..share {
                    dispatcher.record(vec![Self::change()]).await?;
                }
                Ok(())
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.map_err(|error| Failure::new(error.to_string()))?.map_err(failed)?;
        }
        Ok(started.elapsed())
    }

    /// Waits until every job's end is durable.
    pub(super) async fn settled(ports: &Ports) -> Outcome<()> {
        while !ports.store.lane_stats(true).await.map_err(failed)?.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}
