//! What a handler has at hand.

use crate::Options;
use chat_core::{Change, Claim, Committed, PortError, PortResult, Timestamp, Write, ports::Ports};
use serde_json::Value;
use std::sync::Arc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// One run of one job.
#[derive(Clone)]
pub struct JobContext {
    /// The outside world.
    pub ports: Ports,
    /// What is configured.
    pub options: Arc<Options>,
    /// The claim that this run holds.
    pub claim: Claim,
    /// Fires when somebody asks to stop this job.
    pub cancel: CancellationToken,
    /// What this run has asked the store to write and has not heard of yet.
    writes: TaskTracker,
}

impl JobContext {
    /// For a run of the job that was claimed.
    pub fn new(ports: Ports, options: Arc<Options>, claim: Claim, cancel: CancellationToken) -> Self {
        Self { ports, options, claim, cancel, writes: TaskTracker::new() }
    }

    /// Writes during the run, under this run's claim. `Stale`: the claim is lost; stop.
    ///
    /// A run that is dropped meanwhile does not take the write back, but [`Self::settled`] waits for it.
    pub async fn commit(&self, mut changes: Vec<Change>) -> PortResult<Committed> {
        self.carry_trace(&mut changes);
        let (dispatcher, write) = (self.ports.dispatcher(), Write::under(self.claim.held(), changes));
        let written = self.writes.spawn(async move { dispatcher.commit(write).await });
        written.await.map_err(|error| PortError::internal("a write was given up").with_source(error))?
    }

    /// What a job enqueues is part of the trace that the job is part of.
    pub fn carry_trace(&self, changes: &mut [Change]) {
        if let Some(trace) = self.claim.trace {
            trace.mark(changes);
        }
    }

    /// Waits until all that the run began to write is written or refused: who reads then reads all of it.
    pub async fn settled(&self) {
        self.writes.close();
        self.writes.wait().await;
        self.writes.reopen();
    }

    /// Says how far the run is.
    pub async fn progress(&self, progress: Value) -> PortResult<()> {
        self.commit(vec![Change::JobProgress(self.claim.job, progress)]).await.map(drop)
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }
}
