use crate::{PortResult, Role, TraceParent, Usage};
use async_trait::async_trait;
use futures::stream::BoxStream;
use std::{sync::Arc, time::Duration};

/// One message of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptMessage {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// What a completion is for: an answerer without a model works differently for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Answer the question from the passages.
    Answer,
    /// Make the question stand alone.
    Rewrite,
    /// Summarise earlier turns.
    Summarise,
}

/// A numbered passage, as data: the prompt has it as text too.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptPassage {
    /// The number to cite it by.
    pub index: u32,
    /// Document and heading.
    pub title: String,
    /// Its text.
    pub text: String,
    /// Relevance, 0 to 1.
    pub score: f32,
}

/// What to complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The model; empty: the configured one.
    pub model: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The prompt.
    pub messages: Vec<PromptMessage>,
    /// The question alone (answer, rewrite).
    pub question: String,
    /// The passages that the prompt holds.
    pub passages: Vec<PromptPassage>,
    /// Sampling temperature.
    pub temperature: f32,
    /// The longest output, in tokens.
    pub max_tokens: u32,
    /// What the provider is told of the trace that this is part of.
    pub trace: Option<TraceParent>,
    /// The longest wait for the first piece.
    pub first_token_timeout: Duration,
    /// The longest wait between two pieces.
    pub idle_timeout: Duration,
}

/// Why a completion ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// It said all it wanted.
    Stop,
    /// It reached the token limit.
    Length,
    /// The provider's filter cut it.
    ContentFilter,
}

/// A piece of a completion.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// Text; never empty.
    Text(String),
    /// Tokens, if the provider counts them.
    Usage(Usage),
    /// The last piece.
    Finish(FinishReason),
}

/// The pieces of a completion. Dropping it closes the connection to the provider.
pub type CompletionStream = BoxStream<'static, PortResult<Delta>>;

/// A language model.
#[async_trait]
pub trait Llm: Send + Sync {
    /// The configured model's name.
    fn model(&self) -> &str;
    /// Whether there is a real model behind it.
    fn is_model(&self) -> bool {
        true
    }
    /// How long the server of the configured model has asked not to be asked, with a little to spare for those who come
    /// back at the same time. A completion fails with that until then, without asking.
    async fn pause(&self) -> Option<Duration> {
        None
    }
    /// Begins a completion.
    async fn complete(&self, completion: Completion) -> PortResult<CompletionStream>;
}

/// An embedding model.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// The model's name; vectors of different names are never compared.
    fn model(&self) -> &str;
    /// How long its vectors are asked to be; none: as the model likes.
    fn dimensions(&self) -> Option<u32> {
        None
    }
    /// Another model, if it can be called with this one's settings: for searches while one model replaces another.
    /// Whether it answers is seen when it is asked.
    fn named(&self, _model: &str, _dimensions: Option<u32>) -> Option<Arc<dyn Embedder>> {
        None
    }
    /// The weight that its scores deserve in hybrid search, 0 to 1.
    fn alpha(&self) -> f32 {
        0.5
    }
    /// The most texts of one call.
    fn max_batch(&self) -> usize;
    /// One unit-length vector per text, in order; with the tokens that were read, if the provider counts them.
    async fn embed(&self, texts: &[String]) -> PortResult<Embeddings>;
}

/// Vectors and their cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    /// One per text.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens that were read.
    pub tokens: u64,
}
