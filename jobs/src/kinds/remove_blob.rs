//! Removes a file that nothing needs any more.

use crate::{Done, JobContext, JobError, JobKind};
use async_trait::async_trait;
use chat_core::{Lane, RetryPolicy};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Removes a file that nothing needs any more. As a job of its own it follows a commit that must be durable first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoveBlob {
    /// Its key.
    pub blob: String,
}

#[async_trait]
impl JobKind for RemoveBlob {
    const KIND: &'static str = "remove_blob.v1";
    const LANE: Lane = Lane::Default;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 20, base: Duration::from_secs(1), cap: Duration::from_mins(10) };
    const TIMEOUT: Duration = Duration::from_mins(1);

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        cx.ports.blobs.delete(&self.blob).await?;
        Ok(Done::default())
    }
}
