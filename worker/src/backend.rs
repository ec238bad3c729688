//! A lane as an apalis backend: takes ids, claims their rows, and yields what was claimed. Errors are retried inside
//! and never returned, because an apalis worker ends at the first error of its backend.

use crate::engine::Engine;
use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{Task, builder::TaskBuilder, task_id::TaskId},
    worker::context::WorkerContext,
};
use chat_core::{Claim, JobId, Lane};
use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tower::layer::util::Identity;

/// The most ids of one claim.
const CLAIM: usize = 256;
/// How long to wait before another try when the lanes or the store do not answer.
const PAUSE: Duration = Duration::from_millis(200);
/// How often a claim is tried; after that the reaper offers the jobs again.
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
        engine.tracker.clone().spawn(async move {
            let stop = engine.stop.clone();
            stop.run_until_cancelled(fetch(&engine, lane, Arc::new(Semaphore::new(slots)), yields)).await;
            engine.ports.lanes.set_slots(lane, 0);
        });
        claimed
    }
}

/// Takes only as many ids as there are free slots: a worker never holds what it cannot run.
async fn fetch(engine: &Engine, lane: Lane, slots: Arc<Semaphore>, yields: mpsc::Sender<Claimed>) {
    while let Ok(mut free) = slots.clone().acquire_owned().await {
        let more = slots.available_permits().min(CLAIM - 1);
        if let Ok(permits) = slots.clone().try_acquire_many_owned(more as u32) {
            free.merge(permits);
        }
        let ids = match engine.ports.lanes.take(lane, free.num_permits()).await {
            Ok(ids) => ids,
            Err(error) => {
                tracing::warn!(lane = lane.as_str(), error = %error, "a lane does not answer");
                engine.ports.clock.sleep(PAUSE).await;
                continue;
            }
        };
        for claim in claim(engine, ids).await {
            let Some(slot) = free.split(1) else { break };
            if yields.send(Claimed { claim, slot }).await.is_err() {
                return;
            }
        }
    }
}

/// What could not be claimed somebody else has.
async fn claim(engine: &Engine, ids: Vec<JobId>) -> Vec<Claim> {
    engine.expect(&ids);
    for _ in 0..CLAIM_TRIES {
        match engine.ports.store.claim(engine.id, ids.clone()).await {
            Ok(claims) => {
                if claims.len() < ids.len() {
                    let got: std::collections::HashSet<_> = claims.iter().map(|claim| claim.job).collect();
                    for id in ids.iter().filter(|id| !got.contains(id)) {
                        engine.forget(*id);
                    }
                }
                return claims;
            }
            Err(error) => {
                tracing::warn!(error = %error, jobs = ids.len(), "jobs could not be claimed");
                engine.ports.clock.sleep(PAUSE).await;
            }
        }
    }
    for id in ids {
        engine.forget(id);
    }
    Vec::new()
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
