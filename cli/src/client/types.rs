//! What a server answers, as far as the commands need it. Ids stay text: they are only passed on.

use crate::output;
use chat_core::{AttemptError, DocumentStatus, JobState, ResponseStatus, Scope, Timestamp, Timings, Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// A page of a list.
#[derive(Debug, Deserialize)]
pub struct Listed<T> {
    /// The rows.
    pub data: Vec<T>,
    /// The id to go on after.
    pub last_id: Option<String>,
    /// Whether there is another page.
    pub has_more: bool,
}

/// A set of documents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Collection {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Document {
    /// Its id.
    pub id: String,
    /// Its name, without folders.
    pub filename: String,
    /// How far its newest version is.
    pub status: DocumentStatus,
    /// How many passages can be found.
    pub chunk_count: u64,
    /// Why its newest version failed.
    pub error: Option<Reason>,
    /// It was there already.
    pub duplicate_of: Option<String>,
}

/// A document as it was left by an earlier run.
#[derive(Debug, Clone, Deserialize)]
pub struct StoredDocument {
    /// Its id.
    pub id: String,
    /// How large its content is.
    pub bytes: u64,
    /// SHA-256 of its content, in hex.
    pub sha256: String,
    /// What whoever uploaded it says of it.
    pub metadata: Value,
}

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A stable code.
    pub code: String,
    /// A sentence.
    pub message: String,
}

/// How far a document is, from its events.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub stage: DocumentStatus,
    /// Units done.
    pub done: u64,
    /// Units in all.
    pub total: u64,
}

/// An answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Response {
    /// Its id.
    pub id: String,
    /// The conversation.
    pub session_id: String,
    /// How far it is.
    pub status: ResponseStatus,
    /// The model that answers.
    pub model: String,
    /// The text.
    pub output_text: String,
    /// What it rests on.
    pub references: Vec<Reference>,
    /// Tokens and their price.
    pub usage: Option<Usage>,
    /// Where the time went.
    pub timings: Option<Timings>,
    /// Why it failed or was cut short.
    pub error: Option<Reason>,
}

/// A passage that an answer rests on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reference {
    /// The number that the answer cites it by.
    pub index: u32,
    /// The document.
    pub document_id: String,
    /// The passage.
    pub chunk_id: String,
    /// Document and headings.
    pub title: String,
    /// The passage's text.
    pub text: String,
    /// Relevance, 0 to 1.
    pub score: f64,
    /// Where the passage begins in the document's text, in characters.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

/// A background job. `rest` keeps what only `--json` shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// What it does.
    pub kind: String,
    /// Where it waits.
    pub lane: String,
    /// How far it is.
    pub state: JobState,
    /// How often it was begun.
    pub attempt: u32,
    /// How often it may be begun.
    pub max_attempts: u32,
    /// Why attempts failed.
    pub errors: Vec<AttemptError>,
    /// When it may run.
    pub run_at: Timestamp,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When its last attempt began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
    /// What it returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}

/// A lane's jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaneState {
    /// The lane.
    pub name: String,
    /// How many jobs wait or are ready.
    pub depth: u64,
    /// How many run.
    pub running: u64,
    /// How long the oldest one that waits for a worker has been there, in seconds.
    pub oldest_waiting_seconds: Option<f64>,
    /// How many ended in a second, over the last minute.
    #[serde(default)]
    pub rate: f64,
    /// Whether nothing of it is handed out.
    #[serde(default)]
    pub paused: bool,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Timestamp>,
}

impl LaneState {
    /// The age of the oldest one that waits, for people.
    pub fn oldest_waiting(&self) -> String {
        let age = self.oldest_waiting_seconds.map(Duration::from_secs_f64);
        age.map_or_else(|| "-".to_owned(), output::age)
    }
}

/// A worker that lives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Worker {
    /// Its id.
    pub id: String,
    /// The lanes that it takes jobs from.
    pub lanes: Vec<WorkerLane>,
    /// How many jobs it holds.
    pub running: u64,
    /// The version of its program.
    pub version: String,
    /// When it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it last said that it lives.
    pub last_seen: Timestamp,
}

/// A lane of a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerLane {
    /// The lane's name.
    pub name: String,
    /// How many of its jobs run at once, if the worker says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u64>,
}

impl Job {
    /// How long its last attempt ran, if it has ended.
    pub fn ran(&self) -> Option<Duration> {
        Some(self.finished_at?.since(self.started_at?))
    }

    /// Why its last attempt failed; nothing if it succeeded after all.
    pub fn last_error(&self) -> Option<&str> {
        let failed = self.state != JobState::Succeeded;
        self.errors.last().filter(|_| failed).map(|error| error.message.as_str())
    }
}

/// A key with which programs call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whose data it opens.
    pub tenant: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// What to send; only when it was just made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What models took, added up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UsageSum {
    /// The day, if it was added up by day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// The model, if it was added up by model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The conversation, if it was added up by conversation and belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// How many jobs took tokens.
    pub requests: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Both.
    pub total_tokens: u64,
    /// US dollars, of what has a price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}
