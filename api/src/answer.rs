//! What an endpoint answers, as a value: it can be kept and given again.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chat_core::{KeptAnswer, ResponseId};
use serde::Serialize;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer with a JSON body, or with the events of a response instead.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body, as JSON.
    pub body: String,
    /// Where to find what was made.
    pub location: Option<String>,
    /// The response whose events the caller gets instead of the body.
    pub stream: Option<ResponseId>,
}

impl Answer {
    /// An answer with this body.
    pub fn new(status: StatusCode, body: &impl Serialize) -> Self {
        // Views are plain data with string keys: they always become JSON.
        let body = serde_json::to_string(body).unwrap_or_default();
        Self { status, body, location: None, stream: None }
    }

    /// Says where to find what was made.
    #[must_use]
    pub fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// An answer that was kept.
    pub fn of(kept: &KeptAnswer) -> Self {
        Self {
            status: StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK),
            body: kept.body.clone(),
            location: kept.location.clone(),
            stream: kept.stream,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        let location = self.location.and_then(|path| HeaderValue::try_from(path).ok());
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}
