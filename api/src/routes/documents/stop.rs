//! Stops the ingestion of a document: the job that reads it, those that embed it, and the one that joins them.

use crate::caller::Caller;
use chat_core::{Change, DocumentId, JobFilter};
use chat_jobs::{EmbedChunks, IndexDocument, IngestDocument, JobKind};

/// What stops every ingestion of a document, but nothing that cleans up after it.
pub fn stop_ingestion(caller: &Caller, document: DocumentId) -> Vec<Change> {
    let kinds = [IngestDocument::KIND, IndexDocument::KIND, EmbedChunks::KIND];
    let stop = |kind: &str| {
        let filter = JobFilter {
            tenant: Some(caller.tenant.clone()),
            kind: Some(kind.to_owned()),
            document: Some(document),
            ..JobFilter::default()
        };
        Change::CancelJobs(filter, Vec::new())
    };
    kinds.into_iter().map(stop).collect()
}
