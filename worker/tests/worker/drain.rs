//! A worker that stops in the middle of a backlog, or of a job.

use crate::rig::Rig;
use async_trait::async_trait;
use chat_core::{
    Change, JobFilter, JobId, JobState, Lane, RetryPolicy, Tenant, Write,
    ports::{JobStore, Store},
};
use chat_jobs::{Done, JobContext, JobError, JobKind, Registry};
use chat_worker::WorkerOptions;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

const WAITING: usize = 4_000;
const GRACE: Duration = Duration::from_secs(30);

/// Takes a moment.
#[derive(Serialize, Deserialize)]
struct Short {}

#[async_trait]
impl JobKind for Short {
    const KIND: &'static str = "short.v1";
    const LANE: Lane = Lane::Default;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 1, base: Duration::from_millis(1), cap: Duration::from_millis(1) };
    const TIMEOUT: Duration = Duration::from_secs(10);

    async fn run(&self, _cx: &JobContext) -> Result<Done, JobError> {
        tokio::time::sleep(Duration::from_millis(3)).await;
        Ok(Done::default())
    }
}

/// How many jobs are in this state.
async fn count(rig: &Rig, state: JobState) -> u64 {
    let counted = rig.store.lane_stats(false).await.unwrap();
    counted.iter().filter(|some| some.state == state).map(|some| some.count).sum()
}

/// Jobs whose claim nobody read would keep the worker until its grace is over, and others from them as long.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_claimed_when_it_stops_runs_and_keeps_nobody_waiting() {
    let rig = Rig::new().await;
    let jobs = (0..WAITING).map(|_| Change::Enqueue(Box::new(Short {}.job(&Tenant::default()))));
    rig.store.commit(Write::of(jobs.collect())).await.unwrap();
    for stops in 1..=8 {
        let before = count(&rig, JobState::Succeeded).await;
        let worker = rig.worker(Registry::default().with::<Short>()).await;
        let deadline = Instant::now() + Duration::from_secs(10);
        while count(&rig, JobState::Succeeded).await == before {
            assert!(Instant::now() < deadline, "it takes nothing");
            tokio::time::sleep(Duration::from_millis(stops)).await;
        }
        let stopping = Instant::now();
        worker.drain(GRACE).await;
        assert!(stopping.elapsed() < GRACE / 4, "it took {:?} to stop", stopping.elapsed());
        assert_eq!(count(&rig, JobState::Running).await, 0, "claimed, and run by nobody");
    }
    assert!(
        count(&rig, JobState::Available).await > 0,
        "all was done before the last stop: nothing was seen"
    );
}

/// Takes longer than a lease.
#[derive(Serialize, Deserialize)]
struct Long {}

#[async_trait]
impl JobKind for Long {
    const KIND: &'static str = "long.v1";
    const LANE: Lane = Lane::Default;
    const RETRY: RetryPolicy = Short::RETRY;
    const TIMEOUT: Duration = Duration::from_mins(1);

    async fn run(&self, _cx: &JobContext) -> Result<Done, JobError> {
        tokio::time::sleep(LEASE * 3).await;
        Ok(Done::default())
    }
}

const LEASE: Duration = Duration::from_secs(1);

async fn running(rig: &Rig, id: JobId) {
    let look = async {
        while rig.store.job(None, id).await.unwrap().state != JobState::Running {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), look).await.expect("nobody takes it");
}

fn short_lease() -> WorkerOptions {
    WorkerOptions { heartbeat: LEASE / 5, lease: LEASE, ..WorkerOptions::default() }
}

/// A worker that says no more that it lives while its last jobs end loses them to others, who run them again.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ends_within_the_grace_period_is_run_once() {
    let rig = Rig::new().await;
    let registry = || Registry::default().with::<Long>();
    let id = rig.enqueue(Long {}.job(&Tenant::default())).await;
    let worker = rig.worker_with(registry(), short_lease()).await;
    running(&rig, id).await;
    let (other, ()) = tokio::join!(rig.worker_with(registry(), short_lease()), worker.drain(GRACE));
    let job = rig.ended(id).await;
    assert_eq!((job.state, job.attempt), (JobState::Succeeded, 1), "another worker ran it, too");
    other.drain(GRACE).await;
}

/// The request is written, and its announcement was lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_asked_to_stop_where_nobody_hears_it() {
    let rig = Rig::new().await;
    let ids = [
        rig.enqueue(Long {}.job(&Tenant::default())).await,
        rig.enqueue(Long {}.job(&Tenant::default())).await,
    ];
    let worker = rig.worker_with(Registry::default().with::<Long>(), short_lease()).await;
    for id in ids {
        running(&rig, id).await;
    }
    let stop = |id| Write::of(vec![Change::CancelJobs(JobFilter::default(), vec![id])]);
    rig.store.commit(stop(ids[0])).await.unwrap();
    assert_eq!(rig.ended(ids[0]).await.state, JobState::Cancelled);
    let while_it_stops = async {
        tokio::time::sleep(LEASE / 10).await;
        rig.store.commit(stop(ids[1])).await.unwrap();
    };
    tokio::join!(worker.drain(GRACE), while_it_stops);
    assert_eq!(rig.ended(ids[1]).await.state, JobState::Cancelled);
}
