use crate::trace;
use chat_core::{DocumentId, Job, JobId, JobState, Lane, NewJob, SessionId, Timestamp, WorkerId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A background job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobView {
    /// Its id.
    #[schema(value_type = String)]
    id: JobId,
    /// `job`.
    #[schema(example = "job")]
    object: &'static str,
    /// What it does.
    #[schema(example = "answer_turn.v1")]
    kind: String,
    /// Where it waits.
    #[schema(value_type = String, pattern = "^(chat|ingest|embed|maintenance|default)$")]
    lane: Lane,
    /// How far it is.
    #[schema(
        value_type = String,
        pattern = "^(waiting|available|handed|running|succeeded|dead|cancelled)$"
    )]
    state: JobState,
    /// Whose work it is.
    tenant: String,
    /// Higher goes first.
    priority: i16,
    /// How often it was begun.
    attempt: u32,
    /// How often it may be begun.
    max_attempts: u32,
    /// When it may run.
    #[schema(value_type = String, format = DateTime)]
    run_at: Timestamp,
    /// What it waits for: `time`, `children`, `key`, `worker`; `resume`: its lane is paused; `model`: the model's provider has
    /// asked for a pause.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<&'static str>,
    /// Who runs it.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<WorkerId>,
    /// How far a run is.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Value>,
    /// What it returned; lists go without.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    /// Why attempts failed.
    errors: Vec<AttemptErrorView>,
    /// The job that waits for it.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<JobId>,
    /// Whether somebody asked to stop it.
    cancel_requested: bool,
    /// The conversation that it is about.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<SessionId>,
    /// The document that it is about.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    document_id: Option<DocumentId>,
    /// The trace that it is part of: that of the `traceparent` of the request that began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// When it was enqueued.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When its last attempt began.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Timestamp>,
}

/// One failed attempt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttemptError)]
pub struct AttemptErrorView {
    /// Which attempt, from 1.
    attempt: u32,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The kind of error.
    kind: String,
    /// What happened.
    message: String,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        let errors = job.errors.into_iter().map(|error| AttemptErrorView {
            attempt: error.attempt,
            at: error.at,
            kind: error.kind,
            message: error.message,
        });
        Self {
            id: job.id,
            object: "job",
            kind: job.kind,
            lane: job.lane,
            state: job.state,
            tenant: job.tenant.to_string(),
            priority: job.priority,
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            run_at: job.run_at,
            waiting_for: job.waiting_for,
            worker: job.worker,
            progress: job.progress,
            result: job.result,
            errors: errors.collect(),
            parent: job.parent,
            cancel_requested: job.cancel_requested,
            session_id: job.session,
            document_id: job.document,
            trace_id: job.trace.map(|trace| trace.trace_id()),
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }
    }
}

impl JobView {
    /// A job among others: its result may have megabytes, and is there where it alone is shown.
    pub fn listed(job: Job) -> Self {
        Self::from(Job { result: None, ..job })
    }

    /// A job that is being enqueued now.
    pub fn fresh(job: &NewJob, now: Timestamp) -> Self {
        Self {
            id: job.id,
            object: "job",
            kind: job.kind.to_string(),
            lane: job.lane,
            state: JobState::Available,
            tenant: job.tenant.to_string(),
            priority: job.priority,
            attempt: 0,
            max_attempts: u32::from(job.max_attempts),
            run_at: job.run_at.unwrap_or(now),
            waiting_for: None,
            worker: None,
            progress: None,
            result: None,
            errors: Vec::new(),
            parent: job.parent,
            cancel_requested: false,
            session_id: job.session,
            document_id: job.document,
            trace_id: job.trace.or_else(trace::current).map(|trace| trace.trace_id()),
            created_at: now,
            started_at: None,
            finished_at: None,
        }
    }
}
