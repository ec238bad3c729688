//! What a handler has at hand.

use crate::Options;
use chat_core::{Change, Claim, Committed, PortResult, Timestamp, Write, ports::Ports};
use serde_json::Value;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

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
}

impl JobContext {
    /// Writes during the run, under this run's claim. `Stale`: the claim is lost; stop.
    pub async fn commit(&self, changes: Vec<Change>) -> PortResult<Committed> {
        self.ports.dispatcher().commit(Write::under(self.claim.held(), changes)).await
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
