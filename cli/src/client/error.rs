//! What can go wrong between a command and a server.

use crate::failure::Failure;
use serde::Deserialize;
use std::{error::Error, time::Duration};

/// Why a call did not give what was asked for.
#[derive(Debug)]
pub enum ClientError {
    /// Nobody answers there, or the connection broke.
    Unreachable {
        /// The server.
        base: String,
        /// Why, in one line.
        cause: String,
    },
    /// The server answered with an error.
    Refused(Refusal),
    /// The answer is not what this program knows.
    Unexpected(String),
}

/// A server's error.
#[derive(Debug, Clone, Deserialize)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// A sentence.
    pub detail: String,
    /// How long the server asks to wait.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

impl ClientError {
    /// The transport failed.
    pub fn transport(base: &str, error: &reqwest::Error) -> Self {
        if error.is_decode() || error.is_builder() {
            return Self::Unexpected(innermost(error));
        }
        Self::Unreachable { base: base.to_owned(), cause: innermost(error) }
    }

    /// Whether there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == 404)
    }

    /// Whether something else is in the way.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == 409)
    }

    /// How long to wait before another try, if one makes sense.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) if matches!(refusal.status, 429 | 503) => {
                Some(refusal.retry_after.unwrap_or(Duration::from_secs(1)))
            }
            _ => None,
        }
    }
}

/// The cause at the end of the chain says more than the sentences around it.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl std::fmt::Display for ClientError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable { base, cause } => write!(f, "the server at {base} does not answer: {cause}"),
            Self::Refused(refusal) => write!(f, "{}", refusal.detail),
            Self::Unexpected(what) => write!(f, "the server's answer makes no sense: {what}"),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let failure = Self::new(error.to_string());
        match error {
            ClientError::Unreachable { .. } => {
                failure.hint("check that the server runs (`chat up` starts one), or leave --server out")
            }
            ClientError::Refused(refusal) if refusal.status == 413 => {
                failure.hint("raise MAX_UPLOAD_SIZE of the server")
            }
            ClientError::Unexpected(_) => {
                failure.hint("check that the address is a chat server of this version")
            }
            ClientError::Refused(_) => failure,
        }
    }
}
