//! Removes the vectors of an embedding model that searches do not use any more.

use crate::{Done, JobContext, JobError, JobKind};
use async_trait::async_trait;
use chat_core::{Change, Lane, RetryPolicy};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// Removes the vectors of an embedding model that searches do not use any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DropVectors {
    /// The model.
    pub model: String,
}

#[async_trait]
impl JobKind for DropVectors {
    const KIND: &'static str = "drop_vectors.v1";
    const LANE: Lane = Lane::Maintenance;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 20, base: Duration::from_secs(1), cap: Duration::from_mins(5) };
    const TIMEOUT: Duration = Duration::from_hours(1);
    const WAITS: bool = true;

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        let mut removed = 0;
        loop {
            let models = cx.ports.store.embedding_models().await?;
            if !models.dropping().any(|model| model.name == self.model) {
                return Ok(Done::default());
            }
            let step = cx.ports.index.drop_model(&self.model).await?;
            if step == 0 {
                break;
            }
            removed += step;
            cx.progress(json!({"model": self.model, "points": removed})).await?;
        }
        Ok(Done {
            result: Some(json!({"model": self.model, "points": removed})),
            ..Done::with(vec![Change::ForgetModel(self.model.clone())])
        })
    }
}
