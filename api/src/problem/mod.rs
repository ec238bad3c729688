//! The one place where errors become HTTP: `application/problem+json`, with OpenAI's `error` member for stock clients.

mod code;
mod render;

pub use code::Code;
pub use render::{ProblemBody, render};

use axum::http::{HeaderMap, StatusCode};
use chat_core::{ErrorKind, PortError};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// How long a client waits before it tries again, in seconds, unless the other side said otherwise.
const RETRY_AFTER: u64 = 1;

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field, for instance `content` or `filter.state`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// An answer that says what went wrong.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<u64>,
    headers: Option<Box<HeaderMap>>,
    cause: Option<Arc<PortError>>,
}

impl Problem {
    /// A problem with this status and code; `detail` is a sentence for people.
    pub fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        let (errors, detail) = (Vec::new(), detail.into());
        Self { status, code, detail, errors, retry_after: None, headers: None, cause: None }
    }

    /// Says when to try again, in seconds.
    #[must_use]
    pub fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Adds headers to the answer.
    #[must_use]
    pub fn with_headers(self, headers: HeaderMap) -> Self {
        Self { headers: Some(Box::new(headers)), ..self }
    }

    /// How long a client is to wait, in seconds, if it is: every 429 and 503 says so.
    fn wait(&self) -> Option<u64> {
        let busy = matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        self.retry_after.or(busy.then_some(RETRY_AFTER))
    }

    /// 422: names every field that is wrong.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let list = errors.iter().map(|error| format!("{}: {}", error.field, error.message));
        let detail = list.collect::<Vec<_>>().join("; ");
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, Code::InvalidRequest, detail) }
    }

    /// 422 about one field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// 404.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::NotFound, format!("{what} was not found"))
    }

    /// 409.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, Code::Conflict, detail)
    }

    /// 413.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Code::PayloadTooLarge, detail)
    }

    /// 400: the request cannot be read at all.
    pub fn unreadable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, detail)
    }

    /// 500: says nothing but that.
    pub fn internal() -> Self {
        let detail = "The request could not be completed because of an internal error.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, detail)
    }

    /// 503: a model's provider is away, refuses, or makes no sense.
    pub fn provider_away(error: PortError) -> Self {
        let problem = away(&error);
        Self { code: Code::ProviderUnavailable, cause: Some(Arc::new(error)), ..problem }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }
}

/// A dependency that is away: 503, whatever its own words are.
fn away(error: &PortError) -> Problem {
    let wait = error.retry_after.map_or(RETRY_AFTER, |wait| wait.as_secs().max(1));
    let detail = "Something that this service needs is not available right now. Try again shortly.";
    Problem {
        retry_after: Some(wait),
        ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::DependencyUnavailable, detail)
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        let mut problem = match error.kind {
            ErrorKind::NotFound => Self::new(StatusCode::NOT_FOUND, Code::NotFound, error.message.clone()),
            ErrorKind::Conflict => Self::conflict(error.message.clone()),
            ErrorKind::Invalid => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, Code::InvalidRequest, error.message.clone())
            }
            // One that refuses the password, too: the caller can do nothing but wait. (A model's provider is told apart where
            // it is asked.)
            ErrorKind::Unavailable
            | ErrorKind::Timeout
            | ErrorKind::RateLimited
            | ErrorKind::Unauthorized => away(&error),
            ErrorKind::Protocol | ErrorKind::Stale | ErrorKind::Internal => Self::internal(),
        };
        problem.cause = Some(Arc::new(error));
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_store_that_refuses_the_key_is_no_model_that_is_away() {
        for kind in [ErrorKind::Unauthorized, ErrorKind::RateLimited, ErrorKind::Timeout] {
            let problem = Problem::from(PortError::new(kind, "the file store refuses the key"));
            assert_eq!(problem.code(), Code::DependencyUnavailable);
            assert!(problem.retry_after.is_some_and(|wait| wait >= 1));
        }
    }
}
