//! What can go wrong with a server, as the error that every port speaks.

use crate::secrets::Secrets;
use chat_core::{ErrorKind, PortError};
use reqwest::StatusCode;
use serde_json::Value;
use std::{error::Error, time::Duration};

/// The server could not be reached, or went away.
pub(crate) fn transport(error: reqwest::Error) -> PortError {
    // The address may hold a password or a key in its query.
    let error = error.without_url();
    let cause = root(&error);
    if error.is_connect() {
        return PortError::unavailable(format!("the model server cannot be reached: {cause}"))
            .with_source(error);
    }
    if error.is_timeout() {
        return PortError::new(ErrorKind::Timeout, "the model server did not answer in time")
            .with_source(error);
    }
    if error.is_builder() {
        return PortError::internal(format!("the request cannot be built: {cause}")).with_source(error);
    }
    PortError::unavailable(format!("the connection to the model server was cut: {cause}")).with_source(error)
}

/// The last cause says what happened; the ones above it only where.
fn root(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// The server answered what is not the protocol.
pub(crate) fn protocol(what: impl std::fmt::Display) -> PortError {
    PortError::new(ErrorKind::Protocol, format!("the model server does not speak the protocol: {what}"))
}

/// Nothing came in time.
pub(crate) fn silent(what: &str, waited: Duration) -> PortError {
    PortError::new(ErrorKind::Timeout, format!("the model server sent no {what} for {waited:?}"))
}

/// The server has asked for a pause, and is not asked before it is over.
pub(crate) fn paused(pause: Duration) -> PortError {
    let error = PortError::new(ErrorKind::RateLimited, "the model server has asked for a pause");
    PortError { unasked: true, ..error.with_retry_after(Some(pause)) }
}

/// The connection ended before the answer did.
pub(crate) fn cut() -> PortError {
    PortError::unavailable("the model server cut the answer before its end")
}

/// An error that the server told, wherever it stood.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    pub(crate) message: String,
    /// `code` and `type`, lower-cased.
    labels: Vec<String>,
    status: Option<u16>,
}

impl Told {
    /// Reads `{"error": {...}}`, `{"error": "..."}`, `{"message": ...}`, `{"detail": ...}`; anything else is its own
    /// message.
    pub(crate) fn from_body(body: &str) -> Self {
        match serde_json::from_str::<Value>(body) {
            Ok(value) => {
                Self::from_value(value.get("error").filter(|error| !error.is_null()).unwrap_or(&value))
            }
            Err(_) => Self { message: body.to_owned(), ..Self::default() },
        }
    }

    /// Reads the error itself.
    pub(crate) fn from_value(error: &Value) -> Self {
        let message = ["message", "detail", "error"].iter().find_map(|name| error.get(name));
        let message = match message.unwrap_or(error) {
            Value::String(message) => message.clone(),
            other => other.to_string(),
        };
        let labels = ["code", "type"].iter().filter_map(|name| error.get(name)?.as_str());
        let status = ["status", "code"].iter().find_map(|name| as_status(error.get(name)?));
        Self { message, labels: labels.map(str::to_ascii_lowercase).collect(), status }
    }

    fn says(&self, words: &[&str]) -> bool {
        self.labels.iter().any(|label| words.iter().any(|word| label.contains(word)))
    }

    /// The kind of an error that came with this status.
    pub(crate) fn kind(&self, status: StatusCode) -> ErrorKind {
        // A quota does not refill by waiting: retrying would only hide that somebody has to pay.
        if self.says(&["insufficient_quota", "billing", "insufficient_balance"]) {
            return ErrorKind::Unauthorized;
        }
        match status.as_u16() {
            401..=403 => ErrorKind::Unauthorized,
            408 => ErrorKind::Timeout,
            429 => ErrorKind::RateLimited,
            409 | 500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Invalid,
        }
    }

    /// The kind of an error inside a stream: there is no status but perhaps the one in the text.
    pub(crate) fn kind_in_stream(&self) -> ErrorKind {
        if let Some(status) = self.status.and_then(|status| StatusCode::from_u16(status).ok()) {
            return self.kind(status);
        }
        let status = match () {
            () if self.says(&["rate_limit", "too_many"]) => StatusCode::TOO_MANY_REQUESTS,
            () if self.says(&["auth", "permission", "api_key"]) => StatusCode::UNAUTHORIZED,
            () if self.says(&["invalid", "context_length", "not_found", "bad_request"]) => {
                StatusCode::BAD_REQUEST
            }
            // The server had accepted the request: what went wrong later is likelier its fault than ours.
            () => StatusCode::INTERNAL_SERVER_ERROR,
        };
        self.kind(status)
    }

    /// The error of a stream.
    pub(crate) fn into_stream_error(self, secrets: &Secrets) -> PortError {
        let kind = self.kind_in_stream();
        PortError::new(kind, format!("the model server gave up: {}", secrets.tidy(&self.message)))
    }
}

fn as_status(value: &Value) -> Option<u16> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|number| (400..600).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_every_shape_of_error() {
        for (body, message) in [
            (r#"{"error":{"message":"no","type":"x"}}"#, "no"),
            (r#"{"error":"no"}"#, "no"),
            (r#"{"error":null,"message":"no"}"#, "no"),
            (r#"{"detail":"no"}"#, "no"),
            (r#"{"detail":[{"loc":1}]}"#, r#"[{"loc":1}]"#),
            ("<html>no</html>", "<html>no</html>"),
            (r#""no""#, "no"),
        ] {
            assert_eq!(Told::from_body(body).message, message, "{body}");
        }
    }

    #[test]
    fn a_spent_quota_is_not_worth_another_try() {
        let told = Told::from_body(r#"{"error":{"message":"pay","code":"insufficient_quota"}}"#);
        assert_eq!(told.kind(StatusCode::TOO_MANY_REQUESTS), ErrorKind::Unauthorized);
        assert!(!told.kind(StatusCode::TOO_MANY_REQUESTS).is_retryable());
    }

    #[test]
    fn errors_inside_a_stream_have_a_kind() {
        for (error, kind) in [
            (json!({"message": "x", "code": 429}), ErrorKind::RateLimited),
            (json!({"message": "x", "code": "502"}), ErrorKind::Unavailable),
            (json!({"message": "x", "code": "rate_limit_exceeded"}), ErrorKind::RateLimited),
            (json!({"message": "x", "type": "server_error"}), ErrorKind::Unavailable),
            (json!({"message": "x", "type": "overloaded_error"}), ErrorKind::Unavailable),
            (json!({"message": "x", "code": "context_length_exceeded"}), ErrorKind::Invalid),
            (json!({"message": "x", "type": "invalid_request_error"}), ErrorKind::Invalid),
            (json!({"message": "x", "code": "invalid_api_key"}), ErrorKind::Unauthorized),
            (json!({"message": "x", "code": "insufficient_quota"}), ErrorKind::Unauthorized),
            (json!("boom"), ErrorKind::Unavailable),
        ] {
            assert_eq!(Told::from_value(&error).kind_in_stream(), kind, "{error}");
        }
    }
}
