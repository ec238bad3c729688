//! Removes what is left of a hidden document.

use crate::{
    Done, JobContext, JobError, JobKind,
    documents::{Removal, remove_document},
};
use async_trait::async_trait;
use chat_core::{Change, DocumentId, Lane, PortError, RetryPolicy};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long to wait for a job that still writes the document: it is being stopped.
pub(super) const BUSY: Duration = Duration::from_secs(1);

/// Removes what is left of a hidden document of the job's tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeleteDocument {
    /// The document.
    pub document: DocumentId,
}

#[async_trait]
impl JobKind for DeleteDocument {
    const KIND: &'static str = "delete_document.v1";
    const LANE: Lane = Lane::Ingest;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 30, base: Duration::from_secs(1), cap: Duration::from_mins(5) };
    const TIMEOUT: Duration = Duration::from_mins(10);

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        match remove_document(cx, self.document).await? {
            Removal::Done => Ok(Done::with(vec![Change::PurgeDocument(self.document)])),
            Removal::Busy => {
                let error = PortError::unavailable("a job still writes this document; it was asked to stop");
                Err(JobError::RetryAfter(BUSY, error))
            }
        }
    }
}
