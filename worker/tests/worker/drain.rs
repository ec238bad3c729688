//! A worker that stops in the middle of a backlog.

use crate::rig::Rig;
use async_trait::async_trait;
use chat_core::{
    Change, JobState, Lane, RetryPolicy, Tenant, Write,
    ports::{JobStore, Store},
};
use chat_jobs::{Done, JobContext, JobError, JobKind, Registry};
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
