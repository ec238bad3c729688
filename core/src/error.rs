//! The one error that every port speaks: callers match the kind, logs keep the source.

use std::{fmt, time::Duration};

/// What went wrong, as far as a caller can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// There is no such thing (or it belongs to somebody else).
    NotFound,
    /// It contradicts what is there: a key that is taken, a state that forbids it.
    Conflict,
    /// The input can never be accepted as it is.
    Invalid,
    /// The other side does not accept our credentials.
    Unauthorized,
    /// The other side asks us to slow down.
    RateLimited,
    /// The other side is away, refuses, or is out of space: worth another try.
    Unavailable,
    /// It took longer than allowed.
    Timeout,
    /// The other side answered something that makes no sense.
    Protocol,
    /// The claim that this write belongs to is no longer held.
    Stale,
    /// A fault of our own.
    Internal,
}

impl ErrorKind {
    /// Whether the same call may succeed later: a property of the kind.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable | Self::Timeout | Self::Protocol)
    }

    /// The stable name that job histories and metrics show.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Unauthorized => "unauthorized",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Stale => "stale",
            Self::Internal => "internal",
        }
    }
}

/// An error of a port: a kind, a sentence, and perhaps what caused it.
#[derive(Debug)]
pub struct PortError {
    /// What a caller may match on.
    pub kind: ErrorKind,
    /// A sentence for people; holds no secret.
    pub message: String,
    /// How long the other side asked us to wait.
    pub retry_after: Option<Duration>,
    /// The other side was not even asked: it had asked for a pause before.
    pub unasked: bool,
    /// The cause, for the log.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What ports return.
pub type PortResult<T> = Result<T, PortError>;

impl PortError {
    /// An error without a cause.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None, unasked: false, source: None }
    }

    /// There is no such thing.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::NotFound, format!("{what} was not found"))
    }

    /// The input can never be accepted.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// A fault of our own.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// The other side is away.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    /// What caused it, and what caused that, in one line for the log.
    pub fn cause(&self) -> Option<String> {
        let first: Option<&dyn std::error::Error> = self.source.as_deref().map(|source| source as _);
        let causes = std::iter::successors(first, |error| error.source()).map(ToString::to_string);
        let line = causes.collect::<Vec<_>>().join(": ");
        (!line.is_empty()).then_some(line)
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds the wait that the other side asked for.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PortError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_with_its_own_causes() {
        assert_eq!(PortError::internal("x").cause(), None);
        let inner = PortError::internal("inner").with_source("innermost");
        let outer = PortError::internal("outer").with_source(inner);
        assert_eq!(outer.cause().as_deref(), Some("inner: innermost"));
    }
}
