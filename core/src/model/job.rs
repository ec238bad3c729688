//! Background jobs: rows, claims and how a run ends.

use crate::{DocumentId, JobId, SessionId, Tenant, Timestamp, TraceParent, WorkerId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{borrow::Cow, time::Duration};
use uuid::Uuid;

/// Where jobs of a kind wait. Each lane has its own slots, so that a flood of documents never delays a chat turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Chat turns: somebody is waiting.
    Chat,
    /// Parsing, chunking, joining and deleting documents.
    Ingest,
    /// Calls to the embedding model.
    Embed,
    /// Scheduled clean-up.
    Maintenance,
    /// Everything else.
    Default,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 5] = [Self::Chat, Self::Ingest, Self::Embed, Self::Maintenance, Self::Default];

    /// The name in rows, metrics and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Ingest => "ingest",
            Self::Embed => "embed",
            Self::Maintenance => "maintenance",
            Self::Default => "default",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.as_str() == name)
    }
}

/// How far a job is. The numbers are what the stores keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// For a time, for children, or for its turn under a concurrency key.
    Waiting = 0,
    /// Ready; not yet in a lane.
    Available = 1,
    /// In a lane.
    Handed = 2,
    /// Claimed by a worker.
    Running = 3,
    /// Done, its effect applied.
    Succeeded = 4,
    /// Given up; kept with its errors, may be retried by hand.
    Dead = 5,
    /// Stopped on request.
    Cancelled = 6,
}

impl JobState {
    /// Every state, in the order of its number.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Available,
        Self::Handed,
        Self::Running,
        Self::Succeeded,
        Self::Dead,
        Self::Cancelled,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Available => "available",
            Self::Handed => "handed",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Reads the number that the stores keep.
    pub fn from_number(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at).copied())
    }

    /// Whether nothing more will happen to it by itself.
    pub fn is_final(self) -> bool {
        self as u8 >= Self::Succeeded as u8
    }
}

/// A token that names one claim of one job: fresh and random, so that a claim which a crash forgot can never be
/// mistaken for a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fence(pub Uuid);

impl Fence {
    /// A fresh fence.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

/// Makes a job the only one of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// What must not be there twice.
    pub key: String,
    /// Free again as soon as the job ends; otherwise only when its row is purged (a period is part of the key).
    pub while_unfinished: bool,
}

/// A job to be enqueued.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// What to do, with the version of its payload: `answer_turn.v1`.
    pub kind: Cow<'static, str>,
    /// Where it waits.
    pub lane: Lane,
    /// Whose work it is.
    pub tenant: Tenant,
    /// Higher goes first.
    pub priority: i16,
    /// Estimated cost in the lane's own unit (tokens, bytes): what fair order is counted in.
    pub cost: f64,
    /// Ids, never content; JSON.
    pub payload: String,
    /// How often it may be begun.
    pub max_attempts: u16,
    /// Not before this.
    pub run_at: Option<Timestamp>,
    /// At most one such job.
    pub unique: Option<Unique>,
    /// Jobs with the same key run one at a time, in the order of their ids.
    pub concurrency_key: Option<String>,
    /// The job that waits for this one.
    pub parent: Option<JobId>,
    /// How many jobs this one waits for.
    pub pending_children: u32,
    /// The conversation that it is about.
    pub session: Option<SessionId>,
    /// The document that it is about.
    pub document: Option<DocumentId>,
    /// The trace that it is part of.
    pub trace: Option<TraceParent>,
    /// Put into its lane by whoever enqueues it, as soon as it is durable.
    pub handed: bool,
}

/// One failed attempt, as the job's history keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptError {
    /// Which attempt, from 1.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// The kind of error.
    pub kind: String,
    /// What happened.
    pub message: String,
}

/// A job's row, as people and programs see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub kind: String,
    /// Where it waits.
    pub lane: Lane,
    /// Whose work it is.
    pub tenant: Tenant,
    /// Higher goes first.
    pub priority: i16,
    /// How far it is.
    pub state: JobState,
    /// How often it was begun.
    pub attempt: u32,
    /// How often it may be begun.
    pub max_attempts: u32,
    /// Ids; JSON.
    pub payload: Value,
    /// When it may run.
    pub run_at: Timestamp,
    /// What it waits for: `time`, `children`, `key`, `worker`; `resume`: its lane is paused; `model`: the model's provider has
    /// asked for a pause.
    pub waiting_for: Option<&'static str>,
    /// Who runs it.
    pub worker: Option<WorkerId>,
    /// How far a run is.
    pub progress: Option<Value>,
    /// What it returned.
    pub result: Option<Value>,
    /// Why attempts failed.
    pub errors: Vec<AttemptError>,
    /// The job that waits for it.
    pub parent: Option<JobId>,
    /// Whether somebody asked to stop it.
    pub cancel_requested: bool,
    /// The conversation that it is about.
    pub session: Option<SessionId>,
    /// The document that it is about.
    pub document: Option<DocumentId>,
    /// The trace that it is part of.
    pub trace: Option<TraceParent>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When its last attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A job that a worker holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The job.
    pub job: JobId,
    /// Proves that this claim is the last one.
    pub fence: Fence,
    /// What to do.
    pub kind: String,
    /// Where it waited.
    pub lane: Lane,
    /// Whose work it is.
    pub tenant: Tenant,
    /// Ids; JSON.
    pub payload: String,
    /// Which attempt this is, from 1. Above `max_attempts`: earlier ones ended with their worker.
    pub attempt: u32,
    /// How often it may be begun.
    pub max_attempts: u32,
    /// Somebody asked to stop it before it began.
    pub cancel_requested: bool,
    /// How many of its children ended without success.
    pub failed_children: u32,
    /// The trace that it is part of.
    pub trace: Option<TraceParent>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it could have begun.
    pub run_at: Timestamp,
    /// When it was claimed, by the database's clock.
    pub claimed_at: Timestamp,
}

impl Claim {
    /// What guards this claim's writes.
    pub fn held(&self) -> Held {
        Held { job: self.job, fence: self.fence }
    }
}

/// A claim, as its writes name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The job.
    pub job: JobId,
    /// The fence of the claim.
    pub fence: Fence,
}

/// How failures of a kind are tried again: exponential with full jitter
/// ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a job may be begun.
    pub max_attempts: u16,
    /// The longest wait after the first failure.
    pub base: Duration,
    /// The longest wait ever.
    pub cap: Duration,
}

impl RetryPolicy {
    /// The wait after attempt number `attempt` (from 1) failed; `random` is uniform in 0..1.
    pub fn wait(&self, attempt: u32, random: f64) -> Duration {
        let doubled = self.base.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1).min(30)));
        doubled.min(self.cap).mul_f64(random.clamp(0.0, 1.0))
    }
}

/// Which jobs are meant.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobFilter {
    /// Of this tenant; `None`: everybody's (operators).
    pub tenant: Option<Tenant>,
    /// In one of these states; empty: any.
    pub states: Vec<JobState>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of none of these kinds.
    pub not_kinds: Vec<&'static str>,
    /// In this lane.
    pub lane: Option<Lane>,
    /// About this conversation.
    pub session: Option<SessionId>,
    /// About this document.
    pub document: Option<DocumentId>,
}

/// What waits and runs in a lane.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LaneStats {
    /// The lane.
    pub lane: Lane,
    /// The kind of job.
    pub kind: String,
    /// The state.
    pub state: JobState,
    /// How many.
    pub count: u64,
    /// When the oldest of them was enqueued.
    pub oldest: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_cap() {
        let policy =
            RetryPolicy { max_attempts: 5, base: Duration::from_secs(1), cap: Duration::from_secs(10) };
        assert_eq!(policy.wait(1, 1.0), Duration::from_secs(1));
        assert_eq!(policy.wait(3, 1.0), Duration::from_secs(4));
        assert_eq!(policy.wait(40, 1.0), Duration::from_secs(10));
        assert_eq!(policy.wait(3, 0.5), Duration::from_secs(2));
    }

    #[test]
    fn states_and_their_numbers_agree() {
        for (number, state) in JobState::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, number);
            assert_eq!(JobState::from_number(number as i64), Some(state));
            assert_eq!(JobState::parse(state.as_str()), Some(state));
        }
    }
}
