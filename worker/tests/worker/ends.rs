//! Jobs whose end the store will never take.

use crate::rig::Rig;
use async_trait::async_trait;
use chat_core::{
    Change, Job, JobState, Lane, Message, MessageId, PortResult, RetryPolicy, Role, SessionId, Tenant,
    Timestamp,
};
use chat_jobs::{Done, Ending, JobContext, JobError, JobKind, Registry};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A write that no store takes: a question in a conversation that is not there.
fn impossible() -> Change {
    Change::InsertMessage(Box::new(Message {
        id: MessageId::new(),
        session: SessionId::new(),
        tenant: Tenant::default(),
        role: Role::User,
        content: "你好".into(),
        response: None,
        references: Vec::new(),
        created_at: Timestamp(0),
    }))
}

/// Ends with what cannot be written.
#[derive(Serialize, Deserialize)]
struct Refused {
    /// Its bad end cannot be written, either.
    twice: bool,
}

#[async_trait]
impl JobKind for Refused {
    const KIND: &'static str = "refused.v1";
    const LANE: Lane = Lane::Default;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 3, base: Duration::from_millis(1), cap: Duration::from_millis(1) };
    const TIMEOUT: Duration = Duration::from_secs(10);

    async fn run(&self, _cx: &JobContext) -> Result<Done, JobError> {
        Ok(Done::with(vec![impossible()]))
    }

    async fn end(&self, cx: &JobContext, ending: &Ending) -> PortResult<Done> {
        assert!(matches!(ending, Ending::Dead(failure) if failure.code == "not_found"));
        let told = Change::JobProgress(cx.claim.job, "its end was written".into());
        Ok(Done::with(if self.twice { vec![impossible()] } else { vec![told] }))
    }
}

/// The job, after it has ended.
async fn run(kind: Refused) -> Job {
    let rig = Rig::new().await;
    let id = rig.enqueue(kind.job(&Tenant::default())).await;
    let worker = rig.worker(Registry::default().with::<Refused>()).await;
    let ended = rig.ended(id).await;
    worker.drain(Duration::from_secs(5)).await;
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_refused_for_good_is_a_failed_attempt() {
    let job = run(Refused { twice: false }).await;
    assert_eq!(job.state, JobState::Dead);
    assert_eq!(job.errors.iter().map(|error| &*error.kind).collect::<Vec<_>>(), ["not_found"]);
    assert_eq!(job.progress, Some("its end was written".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_bad_end_is_refused_as_well_ends_all_the_same() {
    let job = run(Refused { twice: true }).await;
    assert_eq!((job.state, job.errors.len(), job.progress), (JobState::Dead, 1, None));
}
