//! Conversations: sessions, messages, responses and what they cite.

use crate::{ChunkId, CollectionId, DocumentId, JobId, MessageId, ResponseId, SessionId, Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Its owner.
    pub tenant: Tenant,
    /// What to call it.
    pub title: Option<String>,
    /// Where its answers are looked for; empty: everywhere.
    pub collections: Vec<CollectionId>,
    /// What the model is told about this conversation.
    pub instructions: Option<String>,
    /// The caller's own data.
    pub metadata: Value,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Another one after each change of what its owner gave; the store gives it, and nil to a new one.
    pub revision: Uuid,
}

/// What tells whether a copy of a session is still right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionStamp {
    /// The session.
    pub id: SessionId,
    /// Its revision now.
    pub revision: Uuid,
    /// When it last changed; messages change this, and no revision.
    pub updated_at: Timestamp,
}

impl SessionStamp {
    /// Whether a copy is of this revision of this session.
    pub fn is_of(&self, copy: &Session) -> bool {
        copy.id == self.id && copy.revision == self.revision
    }
}

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What the model is told beforehand.
    System,
    /// A person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::System, Self::User, Self::Assistant].into_iter().find(|role| role.as_str() == name)
    }
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The conversation.
    pub session: SessionId,
    /// Its owner.
    pub tenant: Tenant,
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub content: String,
    /// The response that this message is the text of (assistant), or that answers it (user).
    pub response: Option<ResponseId>,
    /// What it cites (assistant).
    pub references: Vec<Reference>,
    /// When it was said.
    pub created_at: Timestamp,
}

/// A passage that an answer rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The number that the answer cites it by, from 1.
    pub index: u32,
    /// The document.
    pub document_id: DocumentId,
    /// The passage.
    pub chunk_id: ChunkId,
    /// Document and heading.
    pub title: String,
    /// The passage's text.
    pub text: String,
    /// Relevance, 0 to 1.
    pub score: f32,
    /// Where the passage begins in the document's text, in characters.
    pub start: u64,
    /// Where it ends, in characters, exclusive.
    pub end: u64,
}

/// Tokens and their price.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read by the model.
    pub input_tokens: u64,
    /// Tokens written by the model.
    pub output_tokens: u64,
    /// Both.
    pub total_tokens: u64,
    /// US dollars, where a price is configured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost_usd: Option<f64>,
}

/// Where the time of a turn went, milliseconds since it was accepted unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Timings {
    /// From acceptance to the claim.
    pub queued_ms: Option<u64>,
    /// How long the search took.
    pub retrieval_ms: Option<u64>,
    /// From acceptance to the first piece of text.
    pub first_token_ms: Option<u64>,
    /// From acceptance to the end.
    pub total_ms: Option<u64>,
}

/// How far a response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseStatus {
    /// Accepted, not begun.
    Queued,
    /// Being answered.
    InProgress,
    /// Answered.
    Completed,
    /// Cut short by a limit; what was said is kept.
    Incomplete,
    /// Ended by an error.
    Failed,
    /// Stopped by the caller; what was said is kept.
    Cancelled,
}

impl ResponseStatus {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::InProgress, Self::Completed, Self::Incomplete, Self::Failed, Self::Cancelled];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether nothing more will happen to it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::InProgress)
    }
}

/// Why something failed, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable code.
    pub code: String,
    /// A sentence.
    pub message: String,
}

/// What the caller chose for one turn; what is absent comes from the settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TurnOptions {
    /// Which collections to search instead of the session's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub collections: Option<Vec<CollectionId>>,
    /// Which model to ask.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// Sampling temperature, 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub temperature: Option<f32>,
    /// The longest answer, in tokens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_output_tokens: Option<u32>,
    /// How many passages to give to the model.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub top_k: Option<u32>,
}

/// One answer to a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Its id.
    pub id: ResponseId,
    /// Its owner.
    pub tenant: Tenant,
    /// The conversation.
    pub session: SessionId,
    /// The message that it answers.
    pub message: MessageId,
    /// The job that does it.
    pub job: JobId,
    /// How far it is.
    pub status: ResponseStatus,
    /// How often it was begun.
    pub attempt: u32,
    /// The model that answers.
    pub model: String,
    /// What the caller chose.
    pub options: TurnOptions,
    /// The answer.
    pub output_text: String,
    /// The passages it rests on.
    pub references: Vec<Reference>,
    /// What it cost.
    pub usage: Option<Usage>,
    /// Where the time went.
    pub timings: Timings,
    /// Why it failed or was cut short.
    pub error: Option<Failure>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// How a response ended: everything that its last transaction writes.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseEnd {
    /// How it ended.
    pub status: ResponseStatus,
    /// Which attempt ended it.
    pub attempt: u32,
    /// The model that answered.
    pub model: String,
    /// The answer.
    pub output_text: String,
    /// What it cites.
    pub references: Vec<Reference>,
    /// What it cost.
    pub usage: Option<Usage>,
    /// Where the time went.
    pub timings: Timings,
    /// Why it failed or was cut short.
    pub error: Option<Failure>,
    /// When it ended.
    pub completed_at: Timestamp,
}
