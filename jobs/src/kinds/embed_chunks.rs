//! Gives a range of a version's passages their vectors.

use crate::{
    Done, JobContext, JobError, JobKind,
    documents::{answering, current, embed_range, spent},
};
use async_trait::async_trait;
use chat_core::{Change, Lane, RetryPolicy, VersionId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Gives a range of a version's passages their vectors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EmbedChunks {
    /// The version.
    pub version: VersionId,
    /// The first ordinal.
    pub from: u32,
    /// The last ordinal, exclusive.
    pub to: u32,
}

#[async_trait]
impl JobKind for EmbedChunks {
    const KIND: &'static str = "embed_chunks.v1";
    const LANE: Lane = Lane::Embed;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 5, base: Duration::from_secs(1), cap: Duration::from_mins(1) };
    const TIMEOUT: Duration = Duration::from_mins(5);
    const WAITS: bool = true;

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        let Some(version) = current(cx, self.version).await? else { return self.withdraw(cx).await };
        if version.status.is_final() {
            return Ok(Done::default()); // it failed or was stopped: nobody waits for vectors
        }
        let tokens = embed_range(cx, &version, self.from, self.to).await?;
        // Looked at after the write: whoever deletes the document looks at the index after the row says so, so one
        // of the two sees the other.
        if current(cx, self.version).await?.is_none() {
            return self.withdraw(cx).await;
        }
        let embedded = Change::ChunksEmbedded { version: self.version, from: self.from, to: self.to };
        let spent = (tokens > 0).then(|| spent(cx, None, tokens));
        Ok(Done::with(std::iter::once(embedded).chain(spent).collect()))
    }
}

impl EmbedChunks {
    /// Leaves nothing behind of a version that is not wanted any more, unless it is the one that answers.
    async fn withdraw(&self, cx: &JobContext) -> Result<Done, JobError> {
        if answering(cx, self.version).await?.is_none() {
            cx.ports.index.delete_version(&cx.claim.tenant, self.version).await?;
        }
        Ok(Done::default())
    }
}
