//! Removes what is left of a hidden collection.

use super::delete_document::BUSY;
use crate::{
    Done, JobContext, JobError, JobKind,
    documents::{Removal, remove_document},
};
use async_trait::async_trait;
use chat_core::{Change, CollectionId, Lane, PortError, RetryPolicy};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// How many documents are looked up at once.
const PAGE: u32 = 50;
/// How many documents one run removes; another job goes on, so that no run is endless.
const RUN: u64 = 2_000;

/// Removes what is left of a hidden collection of the job's tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeleteCollection {
    /// The collection.
    pub collection: CollectionId,
}

#[async_trait]
impl JobKind for DeleteCollection {
    const KIND: &'static str = "delete_collection.v1";
    const LANE: Lane = Lane::Ingest;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 30, base: Duration::from_secs(1), cap: Duration::from_mins(5) };
    const TIMEOUT: Duration = Duration::from_mins(30);

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        let mut removed = 0;
        while removed < RUN {
            let documents = cx.ports.store.hidden_documents(self.collection, PAGE).await?;
            if documents.is_empty() {
                return Ok(Done::with(vec![Change::PurgeCollection(self.collection)]));
            }
            let mut purges = Vec::with_capacity(documents.len());
            for document in documents {
                if remove_document(cx, document).await? == Removal::Done {
                    purges.push(Change::PurgeDocument(document));
                }
            }
            if purges.is_empty() {
                let error = PortError::unavailable(
                    "jobs still write documents of this collection; they were asked to stop",
                );
                return Err(JobError::RetryAfter(BUSY, error));
            }
            removed += purges.len() as u64;
            purges.push(Change::JobProgress(cx.claim.job, json!({"documents": removed})));
            cx.commit(purges).await?;
        }
        Ok(Done::with(vec![Change::Enqueue(Box::new(self.job(&cx.claim.tenant)))]))
    }
}
