//! Describes responses; `chat_jobs::response_json` writes them, so that terminal events show the same object.

use super::MessageView;
use chat_core::{Message, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One answer to a message.
#[derive(Debug, ToSchema)]
#[schema(as = Response)]
#[expect(dead_code, reason = "describes what `response_json` writes")]
pub struct ResponseView {
    /// Its id.
    id: String,
    /// `response`.
    #[schema(example = "response")]
    object: String,
    /// How far it is.
    #[schema(pattern = "^(queued|in_progress|completed|incomplete|failed|cancelled)$")]
    status: String,
    /// The conversation.
    session_id: String,
    /// The message that it answers.
    message_id: String,
    /// The job that does it.
    job_id: String,
    /// How often it was begun.
    attempt: u32,
    /// The model that answers.
    model: String,
    /// The answer.
    output_text: String,
    /// The passages it rests on.
    references: Vec<ReferenceView>,
    /// What it cost.
    usage: Option<UsageView>,
    /// Where the time went.
    timings: TimingsView,
    /// Why it failed or was cut short.
    error: Option<FailureView>,
    /// When it was accepted.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ended.
    #[schema(format = DateTime)]
    completed_at: Option<String>,
}

/// A passage that an answer rests on.
#[derive(Debug, ToSchema)]
#[schema(as = Reference)]
#[expect(dead_code, reason = "describes what `reference_json` writes")]
pub struct ReferenceView {
    /// The number that the answer cites it by, from 1.
    index: u32,
    /// The document.
    document_id: String,
    /// The passage.
    chunk_id: String,
    /// Document and heading.
    title: String,
    /// The passage's text.
    text: String,
    /// Relevance, 0 to 1.
    score: f64,
    /// Where the passage begins in the document's text, in characters.
    start: u64,
    /// Where it ends, in characters, exclusive.
    end: u64,
}

/// Tokens and their price.
#[derive(Debug, ToSchema)]
#[schema(as = Usage)]
#[expect(dead_code, reason = "describes what `response_json` writes")]
pub struct UsageView {
    /// Tokens read by the model.
    input_tokens: u64,
    /// Tokens written by the model.
    output_tokens: u64,
    /// Both.
    total_tokens: u64,
    /// US dollars, where a price is configured.
    cost_usd: Option<f64>,
}

/// Where the time of a turn went, in milliseconds since it was accepted unless said otherwise.
#[derive(Debug, ToSchema)]
#[schema(as = Timings)]
#[expect(dead_code, clippy::struct_field_names, reason = "describes what `response_json` writes")]
pub struct TimingsView {
    /// From acceptance to the claim.
    queued_ms: Option<u64>,
    /// How long the search took.
    retrieval_ms: Option<u64>,
    /// From acceptance to the first piece of text.
    first_token_ms: Option<u64>,
    /// From acceptance to the end.
    total_ms: Option<u64>,
}

/// Why something failed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Failure)]
pub struct FailureView {
    /// A stable code.
    pub code: String,
    /// A sentence.
    pub message: String,
}

/// A turn that was accepted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Turn)]
pub struct TurnView {
    message: MessageView,
    #[schema(value_type = ResponseView)]
    response: Value,
}

impl TurnView {
    /// A message and the response to it.
    pub fn of(message: &Message, response: &Response) -> Self {
        Self { message: message.into(), response: chat_jobs::response_json(response) }
    }
}
