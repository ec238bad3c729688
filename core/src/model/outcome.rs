//! How a run ends, and what a job waits for then.

use crate::{AttemptError, JobState};
use serde_json::Value;
use std::time::Duration;

/// How a run ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done.
    Succeeded {
        /// What it returns.
        result: Option<Value>,
    },
    /// Failed; again after a while.
    Retry {
        /// How long to wait.
        after: Duration,
        /// Why it failed.
        error: AttemptError,
    },
    /// Given up.
    Dead {
        /// Why.
        error: AttemptError,
    },
    /// Stopped on request.
    Cancelled,
    /// Not finished because its worker stops: somebody else goes on, and the attempt is not counted.
    HandedBack,
    /// The model's provider has asked for a pause: again after it, and that is no failure.
    Deferred {
        /// How long to wait.
        after: Duration,
        /// What the provider said, kept in the history. `None`: it was not asked, and the attempt has not begun.
        error: Option<AttemptError>,
    },
}

impl Outcome {
    /// What a job that ends a run so waits for, if it is not just a time.
    pub fn waits_for(&self) -> Option<&'static str> {
        matches!(self, Self::Deferred { .. }).then_some(WAITS_FOR_MODEL)
    }

    /// By how much the count of attempts and their limit change, so that what was no fault of the job costs it none.
    pub fn recount(&self) -> (i32, i32) {
        match self {
            Self::HandedBack | Self::Deferred { error: Some(_), .. } => (0, 1),
            Self::Deferred { error: None, .. } => (-1, 0),
            _ => (0, 0),
        }
    }
}

/// What a job waits for whose model's provider has asked for a pause.
pub const WAITS_FOR_MODEL: &str = "model";

/// What an unfinished job waits for. `reason`: what it said itself when it began to wait for a time.
pub fn waiting_for(
    state: JobState,
    blocked: bool,
    children: bool,
    paused: bool,
    reason: Option<&str>,
) -> Option<&'static str> {
    match state {
        JobState::Waiting if blocked => Some("key"),
        JobState::Waiting if children => Some("children"),
        JobState::Waiting if reason == Some(WAITS_FOR_MODEL) => Some(WAITS_FOR_MODEL),
        JobState::Waiting => Some("time"),
        JobState::Available | JobState::Handed if paused => Some("resume"),
        JobState::Available | JobState::Handed => Some("worker"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_fault_of_the_job_costs_it_no_attempt() {
        let after = Duration::from_secs(1);
        let error = AttemptError {
            attempt: 1,
            at: crate::Timestamp(0),
            kind: "rate_limited".into(),
            message: "slow down".into(),
        };
        assert_eq!(Outcome::Deferred { after, error: None }.recount(), (-1, 0));
        assert_eq!(Outcome::Deferred { after, error: Some(error.clone()) }.recount(), (0, 1));
        assert_eq!(Outcome::HandedBack.recount(), (0, 1));
        assert_eq!(Outcome::Retry { after, error }.recount(), (0, 0));
    }
}
