//! How a run ends, as values.

use chat_core::{Change, ErrorKind, Event, Failure, PortError, StreamId};
use serde_json::Value;
use std::{fmt, time::Duration};

/// What a run leaves behind: committed together with the end of its job, or not at all.
#[derive(Debug, Default)]
pub struct Done {
    /// What is to be written.
    pub changes: Vec<Change>,
    /// What the job returns.
    pub result: Option<Value>,
    /// Numbered events among `changes`, to be published once they are durable.
    pub publish: Vec<(StreamId, Vec<Event>)>,
    /// The run stopped because it was asked to; `changes` keep what there is.
    pub cancelled: bool,
}

impl Done {
    /// A run that ends with these writes.
    pub fn with(changes: Vec<Change>) -> Self {
        Self { changes, ..Self::default() }
    }
}

/// Why a job ends without success.
#[derive(Debug, Clone)]
pub enum Ending {
    /// It was given up.
    Dead(Failure),
    /// Somebody asked to stop it.
    Cancelled,
}

/// A failed attempt: the job, not the engine, decides what a failure means.
#[derive(Debug)]
pub enum JobError {
    /// Try again after the kind's own wait.
    Retry(PortError),
    /// Try again after this wait.
    RetryAfter(Duration, PortError),
    /// The model's provider has asked for a pause: again after it. That is no failure, unless it lasts too long.
    Wait(Duration, PortError),
    /// Never try again.
    Fail(PortError),
}

impl JobError {
    /// What went wrong.
    pub fn cause(&self) -> &PortError {
        match self {
            Self::Retry(cause) | Self::RetryAfter(_, cause) | Self::Wait(_, cause) | Self::Fail(cause) => {
                cause
            }
        }
    }
}

/// A port's error means what its kind says: retryable ones are tried again, after the wait that was asked for.
impl From<PortError> for JobError {
    fn from(error: PortError) -> Self {
        match (error.retry_after, error.kind) {
            (Some(wait), ErrorKind::RateLimited) => Self::Wait(wait, error),
            (Some(wait), kind) if kind.is_retryable() => Self::RetryAfter(wait, error),
            (_, kind) if kind.is_retryable() || kind == ErrorKind::Internal => Self::Retry(error),
            _ => Self::Fail(error),
        }
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause().kind.as_str(), self.cause())
    }
}

impl std::error::Error for JobError {}
