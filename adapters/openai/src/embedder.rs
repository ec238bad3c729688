//! The embedding model.

use crate::{
    client::{Call, Client, read_body},
    errors,
    server::OpenAiServer,
    vectors::Answer,
};
use async_openai::types::embeddings::{CreateEmbeddingRequest, EmbeddingInput};
use async_trait::async_trait;
use chat_core::{
    PortError, PortResult,
    ports::{Embedder, Embeddings},
};
use std::{sync::OnceLock, time::Duration};

/// The most texts of one request.
const MAX_TEXTS: usize = 128;
/// The most text of one request, in bytes: below the 300,000 tokens that OpenAI takes at once, in any language.
const MAX_BYTES: usize = 512 * 1024;
/// 128 vectors of 8,192 numbers in JSON are about 24 MB.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_mins(1);

/// Embeddings of a server.
///
/// More texts than a request may hold (128, or 512 KiB) become several requests, one after the other, of at most
/// 60 s each. The first answer fixes how long vectors are; another length later is a `Protocol` error.
pub struct OpenAiEmbedder {
    client: Client,
    model: String,
    dimensions: Option<u32>,
    alpha: f32,
    length: OnceLock<usize>,
}

impl OpenAiEmbedder {
    /// A model of a server. Connects to nobody yet.
    ///
    /// Settings that can never work are `Invalid`.
    pub fn new(server: &OpenAiServer, model: impl Into<String>) -> PortResult<Self> {
        let client = Client::new(server)?;
        Ok(Self { client, model: model.into(), dimensions: None, alpha: 0.5, length: OnceLock::new() })
    }

    /// Asks for vectors of this many numbers; few models can.
    #[must_use]
    pub fn with_dimensions(mut self, dimensions: u32) -> Self {
        self.dimensions = Some(dimensions);
        self.length = OnceLock::from(dimensions as usize);
        self
    }

    /// Another weight in hybrid search than 0.5; 0 to 1.
    #[must_use]
    pub fn with_alpha(mut self, alpha: f32) -> Self {
        self.alpha = alpha.clamp(0.0, 1.0);
        self
    }

    async fn embed_batch(&self, texts: &[String]) -> PortResult<Embeddings> {
        let request = CreateEmbeddingRequest {
            model: self.model.clone(),
            input: EmbeddingInput::StringArray(texts.to_vec()),
            dimensions: self.dimensions,
            ..CreateEmbeddingRequest::default()
        };
        let (path, model) = ("/embeddings", self.model.as_str());
        let call = Call { path, model, timeout: Some(TIMEOUT), trace: None };
        let response = self.client.post(&call, &request).await?;
        let answer = Answer::parse(&read_body(response, MAX_ANSWER).await?)?;
        let tokens = answer.tokens();
        let vectors = answer.into_vectors(texts.len())?;
        self.check_length(vectors.first().map_or(0, Vec::len))?;
        Ok(Embeddings { vectors, tokens })
    }

    fn check_length(&self, length: usize) -> PortResult<()> {
        let expected = *self.length.get_or_init(|| length);
        if length == expected {
            return Ok(());
        }
        Err(errors::protocol(format_args!("embeddings of {length} numbers where {expected} were expected")))
    }
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn model(&self) -> &str {
        &self.model
    }

    fn dimensions(&self) -> Option<u32> {
        self.dimensions
    }

    /// 0.5 unless set: meaning and words count alike.
    fn alpha(&self) -> f32 {
        self.alpha
    }

    fn max_batch(&self) -> usize {
        MAX_TEXTS
    }

    async fn embed(&self, texts: &[String]) -> PortResult<Embeddings> {
        if let Some(empty) = texts.iter().position(String::is_empty) {
            return Err(PortError::invalid(format!("text {empty} is empty and has no embedding")));
        }
        let mut all = Embeddings { vectors: Vec::with_capacity(texts.len()), tokens: 0 };
        let mut rest = texts;
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(batch_length(rest));
            let some = self.embed_batch(batch).await?;
            all.vectors.extend(some.vectors);
            all.tokens += some.tokens;
            rest = later;
        }
        Ok(all)
    }
}

/// How many of the texts fit into one request; at least one, however long.
fn batch_length(texts: &[String]) -> usize {
    let mut bytes = 0;
    let fits = texts.iter().take(MAX_TEXTS).take_while(|text| {
        bytes += text.len();
        bytes <= MAX_BYTES
    });
    fits.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_bounded_in_texts_and_bytes() {
        let short = vec!["x".to_owned(); 300];
        assert_eq!(batch_length(&short), 128);
        let long = vec!["x".repeat(MAX_BYTES / 2); 5];
        assert_eq!(batch_length(&long), 2);
        assert_eq!(batch_length(&["x".repeat(MAX_BYTES + 1)]), 1);
        assert_eq!(batch_length(&short[..3]), 3);
    }
}
