//! Removes a version that does not answer any more, or never will.

use crate::{
    Done, JobContext, JobError, JobKind,
    documents::{forget_document, is_busy, text_blob},
};
use async_trait::async_trait;
use chat_core::{Change, ErrorKind, Lane, PortError, RetryPolicy, Version, VersionId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long to wait for a job that still writes the version.
const BUSY: Duration = Duration::from_secs(1);

/// Removes a version that does not answer any more, or never will.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoveVersion {
    /// The version.
    pub version: VersionId,
}

#[async_trait]
impl JobKind for RemoveVersion {
    const KIND: &'static str = "remove_version.v1";
    const LANE: Lane = Lane::Ingest;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 30, base: Duration::from_secs(1), cap: Duration::from_mins(5) };
    const TIMEOUT: Duration = Duration::from_mins(10);

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        let version = match cx.ports.store.version(self.version).await {
            Ok(version) => version,
            Err(error) if error.kind == ErrorKind::NotFound => {
                cx.ports.index.delete_version(&cx.claim.tenant, self.version).await?;
                return Ok(Done::default());
            }
            Err(error) => return Err(error.into()),
        };
        if version.live_version == Some(version.id) {
            return Ok(Done::default());
        }
        if is_busy(cx, version.document, Some(version.id)).await? {
            let error = PortError::unavailable("a job still writes this version");
            return Err(JobError::RetryAfter(BUSY, error));
        }
        cx.ports.index.delete_version(&version.tenant, version.id).await?;
        if cx.ports.index.count(&version.tenant, version.id).await? > 0 {
            return Err(JobError::Retry(PortError::unavailable(
                "the index still has passages of this version",
            )));
        }
        forget_document(cx, version.document).await;
        remove_rest(cx, &version).await
    }
}

/// The newest version stays, even if it failed: it says why, and its file can be read again.
async fn remove_rest(cx: &JobContext, version: &Version) -> Result<Done, JobError> {
    let versions = cx.ports.store.versions(version.document).await?;
    if versions.iter().all(|other| other.id <= version.id) {
        return Ok(Done::default());
    }
    // Reading the same bytes again makes a version that shares them.
    if versions.iter().all(|other| other.id == version.id || other.upload.blob != version.upload.blob) {
        cx.ports.blobs.delete(&version.upload.blob).await?;
    }
    cx.ports.blobs.delete(&text_blob(&version.tenant, version.id)).await?;
    Ok(Done::with(vec![Change::RemoveVersion(version.id)]))
}
