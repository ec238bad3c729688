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
    ErrorKind, PortError, PortResult,
    ports::{Embedder, Embeddings},
};
use std::{
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

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
/// 60 s each. Many servers take fewer texts at a time, 10 or 32: a request that is refused is made again with half of
/// them, and what a server took is remembered. The first answer fixes how long vectors are; another length later is a
/// `Protocol` error.
pub struct OpenAiEmbedder {
    client: Client,
    model: String,
    dimensions: Option<u32>,
    alpha: f32,
    length: OnceLock<usize>,
    /// The most texts of one request, as far as is known.
    most_texts: AtomicUsize,
}

impl OpenAiEmbedder {
    /// A model of a server. Connects to nobody yet.
    ///
    /// Settings that can never work are `Invalid`.
    pub fn new(server: &OpenAiServer, model: impl Into<String>) -> PortResult<Self> {
        let client = Client::new(server)?;
        Ok(Self {
            client,
            model: model.into(),
            dimensions: None,
            alpha: 0.5,
            length: OnceLock::new(),
            most_texts: AtomicUsize::new(MAX_TEXTS),
        })
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

    /// Embeds texts that one request may hold, by fewer at a time if the server refuses so many. A single text that is
    /// refused is the error, and says nothing about how many the server takes.
    async fn embed_some(&self, texts: &[String], all: &mut Embeddings) -> PortResult<()> {
        let (mut rest, mut size) = (texts, texts.len());
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(size.min(rest.len()));
            match self.embed_batch(batch).await {
                Ok(some) => {
                    all.vectors.extend(some.vectors);
                    all.tokens += some.tokens;
                    rest = later;
                }
                Err(error) if error.kind == ErrorKind::Invalid && batch.len() > 1 => {
                    size = batch.len().div_ceil(2);
                }
                Err(error) => return Err(error),
            }
        }
        if size < texts.len() && self.most_texts.fetch_min(size, Ordering::Relaxed) > size {
            tracing::info!(
                model = self.model,
                texts = size,
                "the embedding model takes fewer texts at a time"
            );
        }
        Ok(())
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
            let most = self.most_texts.load(Ordering::Relaxed);
            let (some, later) = rest.split_at(batch_length(rest, most));
            self.embed_some(some, &mut all).await?;
            rest = later;
        }
        Ok(all)
    }
}

/// How many of the texts fit into one request; at least one, however long.
fn batch_length(texts: &[String], most: usize) -> usize {
    let mut bytes = 0;
    let fits = texts.iter().take(most).take_while(|text| {
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
        assert_eq!(batch_length(&short, MAX_TEXTS), 128);
        assert_eq!(batch_length(&short, 10), 10);
        let long = vec!["x".repeat(MAX_BYTES / 2); 5];
        assert_eq!(batch_length(&long, MAX_TEXTS), 2);
        assert_eq!(batch_length(&["x".repeat(MAX_BYTES + 1)], MAX_TEXTS), 1);
        assert_eq!(batch_length(&short[..3], MAX_TEXTS), 3);
    }
}
