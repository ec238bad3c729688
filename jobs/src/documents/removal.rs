//! Removes documents so that nothing of them is left behind, whatever else is going on.
//!
//! A deleted document cannot be found from the moment that its row says so; here goes the rest. Jobs that still take
//! the document in are stopped first. One that writes to the index after that finds the document deleted, and removes
//! what it wrote itself.

use crate::{
    BackfillChunks, EmbedChunks, IndexDocument, IngestDocument, JobContext, JobKind, documents::text_blob,
};
use chat_core::{
    Change, DocumentId, DocumentStatus, Job, JobFilter, JobState, PageRequest, PortError, PortResult,
    Version, VersionId,
};

/// The kinds that write passages.
const WRITERS: [&str; 4] =
    [IngestDocument::KIND, EmbedChunks::KIND, IndexDocument::KIND, BackfillChunks::KIND];

/// What became of an attempt to remove a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    /// Its row is all that is left.
    Done,
    /// A job still writes it.
    Busy,
}

/// Removes everything of a hidden document but its rows.
pub(crate) async fn remove_document(cx: &JobContext, document: DocumentId) -> PortResult<Removal> {
    stop_writers(cx, document).await?;
    if is_busy(cx, document, None).await? {
        return Ok(Removal::Busy);
    }
    let tenant = &cx.claim.tenant;
    let versions = cx.ports.store.versions(document).await?;
    end_versions(cx, &versions).await?;
    cx.ports.index.delete_document(tenant, document).await?;
    for version in versions {
        if cx.ports.index.count(tenant, version.id).await? > 0 {
            return Err(PortError::unavailable(
                "the index still has passages of a document that was removed",
            ));
        }
        delete_blobs(cx, &version).await?;
    }
    forget_document(cx, document).await;
    Ok(Removal::Done)
}

/// The deletion of a large collection leaves some open: whoever follows them is told now.
async fn end_versions(cx: &JobContext, versions: &[Version]) -> PortResult<()> {
    let open = versions.iter().filter(|version| !version.status.is_final());
    let end = |version: &Version| {
        let (version, status) = (version.id, DocumentStatus::Cancelled);
        Change::EndVersion { version, status, error: None }
    };
    let changes: Vec<_> = open.map(end).collect();
    if changes.is_empty() { Ok(()) } else { cx.commit(changes).await.map(drop) }
}

async fn delete_blobs(cx: &JobContext, version: &Version) -> PortResult<()> {
    cx.ports.blobs.delete(&version.upload.blob).await?;
    cx.ports.blobs.delete(&text_blob(&version.tenant, version.id)).await
}

/// Drops what is cached of a document.
pub(crate) async fn forget_document(cx: &JobContext, document: DocumentId) {
    cx.ports.memo().forget_chunks(document).await;
}

async fn stop_writers(cx: &JobContext, document: DocumentId) -> PortResult<()> {
    let stop = |kind| Change::CancelJobs(writers(cx, document, kind, Vec::new()), Vec::new());
    cx.commit(WRITERS.map(stop).into()).await.map(drop)
}

/// Whether a job that writes this document (or this version of it) is running. What only waits does no harm: it
/// finds nothing to do when its turn comes.
pub(crate) async fn is_busy(
    cx: &JobContext,
    document: DocumentId,
    version: Option<VersionId>,
) -> PortResult<bool> {
    let about = |job: &Job| {
        version.is_none_or(|version| job.payload["version"].as_str() == Some(version.to_string().as_str()))
    };
    for kind in WRITERS {
        let filter = writers(cx, document, kind, vec![JobState::Running]);
        let mut page = PageRequest { limit: 100, ..PageRequest::default() };
        loop {
            let jobs = cx.ports.store.jobs(&filter, page).await?;
            if jobs.rows.iter().any(about) {
                return Ok(true);
            }
            page.after = jobs.rows.last().map(|job| job.id.uuid());
            if !jobs.has_more || page.after.is_none() {
                break;
            }
        }
    }
    Ok(false)
}

fn writers(cx: &JobContext, document: DocumentId, kind: &str, states: Vec<JobState>) -> JobFilter {
    JobFilter {
        tenant: Some(cx.claim.tenant.clone()),
        states,
        kind: Some(kind.to_owned()),
        document: Some(document),
        ..JobFilter::default()
    }
}
