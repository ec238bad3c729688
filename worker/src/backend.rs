//! A lane as an apalis backend: waits for work, claims its rows, and yields what was claimed. Errors are retried inside
//! and never returned, because an apalis worker ends at the first error of its backend.

use crate::engine::Engine;
use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{Task, builder::TaskBuilder, task_id::TaskId},
    worker::context::WorkerContext,
};
use chat_core::{Claim, JobId, Lane, PortError, PortResult, ports::Work};
use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tower::layer::util::Identity;

/// The most jobs of one claim.
const CLAIM: usize = 256;
/// The first claim of a backlog; each that follows may be twice as large. A small backlog is shared by those who are
/// told of it at the same time, and a large one soon moves in large steps.
const FIRST_CLAIM: usize = 8;
/// How long to wait before another try when the lanes or the store do not answer.
const PAUSE: Duration = Duration::from_millis(200);
/// How often a claim of offered jobs is tried; after that the reaper makes a backlog of them.
const CLAIM_TRIES: usize = 10;

/// A job that was claimed, and the slot that it takes.
pub(crate) struct Claimed {
    pub(crate) claim: Claim,
    pub(crate) slot: OwnedSemaphorePermit,
}

/// One lane of one worker.
pub(crate) struct LaneBackend {
    engine: Arc<Engine>,
    lane: Lane,
    slots: usize,
    claimed: Option<mpsc::Receiver<Claimed>>,
}

impl LaneBackend {
    pub(crate) fn new(engine: Arc<Engine>, lane: Lane, slots: usize) -> Self {
        Self { engine, lane, slots, claimed: None }
    }

    fn start(&mut self) -> mpsc::Receiver<Claimed> {
        let (yields, claimed) = mpsc::channel(self.slots.max(1));
        let (engine, lane, slots) = (self.engine.clone(), self.lane, self.slots);
        engine.ports.lanes.set_slots(lane, slots);
        let fetchers = engine.fetchers.clone();
        fetchers.spawn(async move {
            Fetcher { engine: &engine, lane, step: FIRST_CLAIM }
                .run(Arc::new(Semaphore::new(slots)), yields)
                .await;
            engine.ports.lanes.set_slots(lane, 0);
        });
        claimed
    }
}

/// Takes the jobs of one lane.
struct Fetcher<'a> {
    engine: &'a Engine,
    lane: Lane,
    /// The most jobs of the next claim of a backlog.
    step: usize,
}

impl Fetcher<'_> {
    /// Ends with the worker; what was claimed is taken by then. Only waiting is given up for it: jobs whose claim
    /// nobody reads would count as running.
    async fn run(mut self, slots: Arc<Semaphore>, yields: mpsc::Sender<Claimed>) {
        while let Some((mut free, work)) = self.engine.stop.run_until_cancelled(self.wait(&slots)).await {
            for claim in self.claim(work, free.num_permits()).await {
                // Nobody else would run it: should there be more than were asked for, they wait here.
                let slot = match free.split(1) {
                    Some(slot) => slot,
                    None => one_slot(&slots).await,
                };
                if yields.send(Claimed { claim, slot }).await.is_err() {
                    return;
                }
            }
        }
        yields.reserve_many(yields.max_capacity()).await.ok();
    }

    /// Waits for a free slot, then for work. Takes only as many jobs as there are free slots: a worker never holds what
    /// it cannot run.
    async fn wait(&self, slots: &Arc<Semaphore>) -> (OwnedSemaphorePermit, Work) {
        let free = free_slots(slots).await;
        loop {
            match self.engine.ports.lanes.take(self.lane, free.num_permits()).await {
                Ok(work) => return (free, work),
                Err(error) => self.pause(&error, "a lane does not answer").await,
            }
        }
    }

    async fn claim(&mut self, work: Work, most: usize) -> Vec<Claim> {
        match work {
            Work::Offered(ids) => self.claim_offered(ids).await,
            Work::Backlog(announced) => {
                let most = most.min(self.step);
                let store = &self.engine.ports.store;
                match self.claimed(store.claim_next(self.engine.id, self.lane, most)).await {
                    Ok(claims) if claims.len() < most => {
                        self.engine.ports.lanes.drained(self.lane, announced);
                        self.step = FIRST_CLAIM;
                        claims
                    }
                    Ok(claims) => {
                        self.step = (self.step * 2).min(CLAIM);
                        claims
                    }
                    Err(error) => {
                        self.pause(&error, "the backlog could not be claimed").await;
                        Vec::new()
                    }
                }
            }
        }
    }

    /// What could not be claimed somebody else has.
    async fn claim_offered(&self, ids: Vec<JobId>) -> Vec<Claim> {
        for _ in 0..CLAIM_TRIES {
            match self.claimed(self.engine.ports.store.claim(self.engine.id, ids.clone())).await {
                Ok(claims) => return claims,
                Err(error) => self.pause(&error, "jobs could not be claimed").await,
            }
        }
        Vec::new()
    }

    async fn claimed(&self, claim: impl Future<Output = PortResult<Vec<Claim>>>) -> PortResult<Vec<Claim>> {
        self.engine.running.claiming();
        let claims = claim.await;
        self.engine.running.claimed(claims.iter().flatten().map(Claim::held));
        claims
    }

    async fn pause(&self, error: &PortError, what: &str) {
        tracing::warn!(lane = self.lane.as_str(), error = %error, "{what}");
        self.engine.ports.clock.sleep(PAUSE).await;
    }
}

/// Waits for a slot. Nobody closes the semaphore.
async fn one_slot(slots: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    match slots.clone().acquire_owned().await {
        Ok(slot) => slot,
        Err(_) => std::future::pending().await,
    }
}

/// One slot, and all others that are free at the moment.
async fn free_slots(slots: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    let mut free = one_slot(slots).await;
    let more = slots.available_permits().min(CLAIM - 1);
    if let Ok(permits) = slots.clone().try_acquire_many_owned(more as u32) {
        free.merge(permits);
    }
    free
}

impl Backend for LaneBackend {
    type Task = Task<Claimed>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        if self.claimed.is_none() {
            self.claimed = Some(self.start());
        }
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Task<Claimed>, Infallible>>> {
        let Some(claimed) = &mut self.claimed else { return Poll::Pending };
        claimed.poll_recv(cx).map(|next| {
            next.map(|next| {
                let id = TaskId::from_string(next.claim.job.to_string());
                Ok(TaskBuilder::new(next).task_id(id).build())
            })
        })
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for LaneBackend {
    type Args = Claimed;
    type Id = String;
    type Kind = Ephemeral;
    type Config = usize;
    type Layer = Identity;

    fn config(&self) -> &usize {
        &self.slots
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
