//! Puts a version whose passages have their vectors in the place of the one that answers.

use crate::{
    Done, Ending, JobContext, JobError, JobKind, RemoveVersion,
    documents::{current, embed_range, end_version, renew},
    failure::is_of_model,
    models::live_model,
};
use async_trait::async_trait;
use chat_core::{
    AttemptError, Change, DocumentStatus, ErrorKind, JobFilter, JobState, Lane, PageRequest, PortError,
    PortResult, RetryPolicy, Version, VersionId,
};
use serde::{Deserialize, Serialize};
use std::{iter, time::Duration};

/// From this attempt on, passages that the index does not have are written again.
const REPAIR_AT: u32 = 3;
/// How many passages are repaired at once.
const REPAIR: u32 = 64;

/// Puts a version whose passages have their vectors in the place of the one that answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IndexDocument {
    /// The version.
    pub version: VersionId,
}

#[async_trait]
impl JobKind for IndexDocument {
    const KIND: &'static str = "index_document.v1";
    const LANE: Lane = Lane::Ingest;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 5, base: Duration::from_secs(1), cap: Duration::from_mins(1) };
    const TIMEOUT: Duration = Duration::from_mins(10);
    const WAITS: bool = true;

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        let Some(version) = current(cx, self.version).await? else { return Ok(Done::default()) };
        if version.status.is_final() {
            return renew(cx, &version).await;
        }
        // Ids are time-ordered: a version that was uploaded later answers already.
        if version.live_version.is_some_and(|live| live > version.id) {
            return Ok(end_version(cx, self.version, &Ending::Cancelled).await?);
        }
        let total = version.chunk_count;
        if total == 0 {
            return Err(JobError::Fail(PortError::internal("the version has no passages any more")));
        }
        let mut indexed = indexed(cx, &version).await?;
        if indexed.most < total && cx.claim.failed_children > 0 {
            return Err(JobError::Fail(children_failure(cx, &version).await));
        }
        cx.commit(vec![stage(&version, indexed.most.min(total), total)]).await?;
        if indexed.most < total && cx.claim.attempt >= REPAIR_AT {
            indexed = repair(cx, &version).await?;
        }
        if indexed.most < total {
            let message = format!("the index has {} of {total} passages", indexed.most);
            return Err(JobError::Retry(PortError::unavailable(message)));
        }
        let changes = flip(cx, &version, indexed.models).await?;
        match cx.commit(changes).await {
            // The next attempt makes vectors of the model that searches use now.
            Err(error) if error.kind == ErrorKind::Conflict => {
                Err(JobError::Retry(PortError::unavailable(error.message)))
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(Done::default()),
        }
    }

    async fn end(&self, cx: &JobContext, ending: &Ending) -> PortResult<Done> {
        end_version(cx, self.version, ending).await
    }
}

fn stage(version: &Version, done: u64, total: u64) -> Change {
    Change::VersionStage { version: version.id, stage: DocumentStatus::Indexing, done, total }
}

/// What the index has of a version.
struct Indexed {
    /// The models under which it has all passages.
    models: Vec<String>,
    /// How many passages it has under the model that has most.
    most: u64,
}

/// Counted under the model that searches use, and the one that is to follow it.
async fn indexed(cx: &JobContext, version: &Version) -> PortResult<Indexed> {
    let known = cx.ports.store.embedding_models().await?;
    let names = iter::once(live_model(&cx.ports, &known).name)
        .chain(known.building().map(|model| model.name.clone()));
    let mut indexed = Indexed { models: Vec::new(), most: 0 };
    for name in names {
        let count = cx.ports.index.count_of(&version.tenant, &name, version.id).await?;
        indexed.most = indexed.most.max(count);
        if count >= version.chunk_count {
            indexed.models.push(name);
        }
    }
    Ok(indexed)
}

/// The flip, and the removal of every version that was uploaded earlier.
async fn flip(cx: &JobContext, version: &Version, models: Vec<String>) -> PortResult<Vec<Change>> {
    let indexed = Change::VersionIndexed { version: version.id, models };
    let mut changes = vec![indexed, Change::FlipVersion(version.id)];
    for earlier in cx.ports.store.versions(version.document).await? {
        if earlier.id < version.id {
            let mut remove = RemoveVersion { version: earlier.id }.job(&version.tenant);
            remove.document = Some(version.document);
            changes.push(Change::Enqueue(Box::new(remove)));
        }
    }
    Ok(changes)
}

/// Writes all passages to the index again; those that are there are only replaced by themselves.
async fn repair(cx: &JobContext, version: &Version) -> PortResult<Indexed> {
    tracing::warn!(version = %version.id, "the index lacks passages: they are written again");
    let total = version.chunk_count as u32;
    for from in (0..total).step_by(REPAIR as usize) {
        embed_range(cx, version, from, total.min(from + REPAIR)).await?;
        cx.commit(vec![stage(version, from.into(), total.into())]).await?;
    }
    indexed(cx, version).await
}

/// Why passages could not be embedded, as the last child that died says it.
async fn children_failure(cx: &JobContext, version: &Version) -> PortError {
    let filter = JobFilter {
        tenant: Some(version.tenant.clone()),
        states: vec![JobState::Dead],
        kind: Some(crate::EmbedChunks::KIND.to_owned()),
        document: Some(version.document),
        ..JobFilter::default()
    };
    let jobs = cx.ports.store.jobs(&filter, PageRequest::default()).await;
    let jobs = jobs.map(|page| page.rows).unwrap_or_default();
    let error = jobs.iter().filter(|job| job.parent == Some(cx.claim.job)).find_map(|job| job.errors.last());
    match error {
        Some(error) => PortError::new(kind_of(error), error.message.clone()),
        None => PortError::internal("some passages could not be embedded"),
    }
}

/// The kind of an error in a job's history. What was found invalid by anyone but the model is a fault of ours.
fn kind_of(error: &AttemptError) -> ErrorKind {
    use ErrorKind::{Conflict, Invalid, NotFound, Protocol, RateLimited, Timeout, Unauthorized, Unavailable};
    let rejected = [Invalid, NotFound, Conflict];
    let rejected = rejected.iter().filter(|_| is_of_model(&error.message));
    let mut known = [Unauthorized, RateLimited, Unavailable, Timeout, Protocol].iter().chain(rejected);
    known.find(|kind| kind.as_str() == error.kind).copied().unwrap_or(ErrorKind::Internal)
}
