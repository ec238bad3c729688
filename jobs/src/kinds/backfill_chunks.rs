//! Gives a range of an answering version's passages their vectors under the next embedding model.

use crate::{
    Done, JobContext, JobError, JobKind,
    documents::{answering, embed_under},
    models::embedder,
};
use async_trait::async_trait;
use chat_core::{ErrorKind, Lane, NewJob, PortError, RetryPolicy, Version, VersionId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How many passages one job embeds.
const STEP: u32 = 64;
/// Whoever uploads goes first.
const AFTER_UPLOADS: i16 = -1;
/// How long to leave it to a process with other settings.
const ELSEWHERE: Duration = Duration::from_secs(10);

/// Gives a range of an answering version's passages their vectors under the next embedding model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BackfillChunks {
    /// The version.
    pub version: VersionId,
    /// The model.
    pub model: String,
    /// The first ordinal.
    pub from: u32,
    /// The last ordinal, exclusive.
    pub to: u32,
}

impl BackfillChunks {
    /// The jobs that make all vectors of a version under a model.
    pub(crate) fn whole(version: &Version, model: &str) -> impl Iterator<Item = NewJob> {
        let total = version.chunk_count as u32;
        (0..total).step_by(STEP as usize).map(move |from| {
            let (id, to) = (version.id, total.min(from + STEP));
            let mut job = Self { version: id, model: model.to_owned(), from, to }.job(&version.tenant);
            job.document = Some(version.document);
            job.cost = f64::from(to - from);
            job.priority = AFTER_UPLOADS;
            job
        })
    }
}

#[async_trait]
impl JobKind for BackfillChunks {
    const KIND: &'static str = "backfill_chunks.v1";
    const LANE: Lane = Lane::Embed;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 5, base: Duration::from_secs(1), cap: Duration::from_mins(1) };
    const TIMEOUT: Duration = Duration::from_mins(5);
    const WAITS: bool = true;

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        let models = cx.ports.store.embedding_models().await?;
        let model = models.0.iter().find(|model| model.name == self.model && models.wants(&model.name));
        let Some(model) = model else { return Ok(Done::default()) };
        if answering(cx, self.version).await?.is_none() {
            return Ok(Done::default());
        }
        if let Err(error) = embedder(&cx.ports, model) {
            // A replica that was not restarted yet: another one can, so this one does not wait.
            let error = PortError::new(ErrorKind::Conflict, error.message);
            return Err(JobError::RetryAfter(ELSEWHERE, error));
        }
        let version = cx.ports.store.version(self.version).await?;
        let to = self.to.min(version.chunk_count as u32);
        embed_under(cx, model, &version, self.from, to).await?;
        // Looked at after the write: whoever removes the version looks at the index after the row says so.
        if answering(cx, self.version).await?.is_none() {
            cx.ports.index.delete_version(&cx.claim.tenant, self.version).await?;
        }
        Ok(Done::default())
    }
}
