//! Does nothing: what a benchmark of the engine runs.

use crate::{Done, JobContext, JobError, JobKind};
use async_trait::async_trait;
use chat_core::{Lane, RetryPolicy};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Does nothing: what a benchmark of the engine runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Noop {}

#[async_trait]
impl JobKind for Noop {
    const KIND: &'static str = "noop.v1";
    const LANE: Lane = Lane::Default;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 3, base: Duration::from_secs(1), cap: Duration::from_mins(1) };
    const TIMEOUT: Duration = Duration::from_mins(1);

    async fn run(&self, _cx: &JobContext) -> Result<Done, JobError> {
        Ok(Done::default())
    }
}
