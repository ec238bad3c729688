//! Gives texts of a caller their vectors.

use crate::{Done, Ending, JobContext, JobError, JobKind, RemoveBlob, documents, shortest};
use async_trait::async_trait;
use chat_core::{Change, ErrorKind, KeyId, Lane, PortError, PortResult, RetryPolicy, text::count_tokens};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// The most bytes of texts that are read; the API accepts less.
const MOST: usize = 64 * 1024 * 1024;

/// Gives texts of a caller their vectors; the job's result has them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EmbedTexts {
    /// Where the texts are: a JSON array of strings.
    pub blob: String,
    /// The model that the caller named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The key that asked, whose tokens these are too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
}

#[async_trait]
impl JobKind for EmbedTexts {
    const KIND: &'static str = "embed_texts.v1";
    const LANE: Lane = Lane::Embed;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 3, base: Duration::from_secs(1), cap: Duration::from_mins(1) };
    const TIMEOUT: Duration = Duration::from_mins(5);

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        let embedder = &cx.ports.embedder;
        if let Some(model) = self.model.as_deref().filter(|model| *model != embedder.model()) {
            let message = format!("the embedding model is {}; {model} is not configured", embedder.model());
            return Err(JobError::Fail(PortError::invalid(message)));
        }
        let texts = read(cx, &self.blob).await?;
        let (vectors, counted) = documents::embed_texts(&**embedder, &texts).await?;
        let tokens =
            if counted > 0 { counted } else { texts.iter().map(|text| count_tokens(text) as u64).sum() };
        let result = result_json(embedder.model(), &vectors, tokens);
        let spent = documents::spent(cx, self.key, tokens);
        Ok(Done { result: Some(result), ..Done::with(vec![self.clean_up(cx), spent]) })
    }

    async fn end(&self, cx: &JobContext, _ending: &Ending) -> PortResult<Done> {
        Ok(Done::with(vec![self.clean_up(cx)]))
    }
}

impl EmbedTexts {
    /// The texts go only when the result is durable: until then the job may run again.
    fn clean_up(&self, cx: &JobContext) -> Change {
        Change::Enqueue(Box::new(RemoveBlob { blob: self.blob.clone() }.job(&cx.claim.tenant)))
    }
}

async fn read(cx: &JobContext, blob: &str) -> PortResult<Vec<String>> {
    let gone = |error: PortError| match error.kind {
        ErrorKind::NotFound => PortError::invalid("the texts are not there any more").with_source(error),
        _ => error,
    };
    let pieces = cx.ports.blobs.get(blob, None).await.map_err(gone)?;
    let bytes = pieces.try_fold(Vec::new(), |mut bytes: Vec<u8>, piece| async move {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MOST { Err(PortError::invalid("the texts are too long")) } else { Ok(bytes) }
    });
    serde_json::from_slice(&bytes.await?)
        .map_err(|error| PortError::invalid("the texts are no array of strings").with_source(error))
}

fn result_json(model: &str, vectors: &[Vec<f32>], tokens: u64) -> Value {
    let data: Vec<Value> = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| {
            let embedding: Vec<f64> = vector.iter().copied().map(shortest).collect();
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    json!({"object": "list", "model": model, "data": data, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})
}
