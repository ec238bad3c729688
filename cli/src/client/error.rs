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
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// A sentence.
    pub detail: String,
    /// What is wrong with fields of the request.
    #[serde(default)]
    pub errors: Vec<FieldError>,
    /// Whether a key or a token was sent.
    #[serde(skip)]
    pub with_key: bool,
    /// How long the server asks to wait.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// What is wrong with a field of a request.
#[derive(Debug, Clone, Deserialize)]
pub struct FieldError {
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// Fields of requests, and what people gave them as.
const GIVEN_AS: [(&str, &str); 9] = [
    ("content", "the question"),
    ("title", "the question"),
    ("name", "the name"),
    ("tenant", "--tenant"),
    ("expires_at", "--expires-at"),
    ("from", "--from"),
    ("to", "--to"),
    ("kind", "--kind"),
    ("limit", "--limit"),
];

impl Refusal {
    /// What is wrong with what was given, in the words of the command line.
    fn in_options(&self) -> String {
        let told = self.errors.iter().map(|FieldError { field, message }| {
            let given =
                GIVEN_AS.iter().find(|(name, _)| name == field).map_or(field.as_str(), |(_, given)| given);
            let message = message.replace("`to`", "--to");
            format!("{given} {message}")
        });
        if self.errors.is_empty() { self.detail.clone() } else { told.collect::<Vec<_>>().join("; ") }
    }

    /// A key is missing, is not known, or does not suffice.
    fn of_identity(&self) -> Failure {
        const MAKE: &str = "`chat keys create NAME`, run where the server's SECRET_KEY is set, makes one";
        match (self.status, self.with_key) {
            (403, _) => Failure::new(format!("this key does not allow that: {}", self.detail)).hint(
                "a key with a larger scope: `chat keys create NAME --scopes operator` (or admin) makes one",
            ),
            (_, false) => Failure::new("this server wants an API key")
                .hint("give one with --api-key KEY or CHAT_API_KEY")
                .hint(MAKE),
            (_, true) => Failure::new("this server does not take the key that it was sent")
                .hint("it was revoked or has ended, or belongs to another server: give another one with --api-key KEY or CHAT_API_KEY")
                .hint("where the command made itself a token: SECRET_KEY is not that of the server")
                .hint(MAKE),
        }
    }
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
            ClientError::Unexpected(_) => {
                failure.hint("check that the address is a chat server of this version")
            }
            ClientError::Refused(refusal) => match refusal.status {
                401 | 403 => refusal.of_identity(),
                413 => failure.hint("raise MAX_UPLOAD_SIZE of the server"),
                422 => Self::wrong_use(refusal.in_options()),
                _ => failure,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    fn failure(refusal: Refusal) -> Failure {
        ClientError::Refused(refusal).into()
    }

    #[test]
    fn what_was_given_wrongly_is_named_as_it_was_given() {
        let error = |field: &str, message: &str| FieldError { field: field.into(), message: message.into() };
        let errors =
            vec![error("from", "must be before `to`"), error("content", "must have 1 to 9 characters")];
        let failure = failure(Refusal { status: 422, errors, ..Refusal::default() });
        assert_eq!(failure.exit(), Exit::WrongUse);
        assert_eq!(
            failure.to_string(),
            "--from must be before --to; the question must have 1 to 9 characters"
        );
    }

    #[test]
    fn whoever_is_not_known_learns_how_to_be() {
        let unknown = failure(Refusal { status: 401, ..Refusal::default() });
        assert!(unknown.to_string().contains("wants an API key"), "{unknown}");
        assert!(unknown.hints()[0].contains("--api-key") && unknown.hints()[0].contains("CHAT_API_KEY"));
        let ended = failure(Refusal { status: 401, with_key: true, ..Refusal::default() });
        assert!(ended.to_string().contains("does not take the key"), "{ended}");
        let small = failure(Refusal { status: 403, with_key: true, ..Refusal::default() });
        assert!(small.hints()[0].contains("--scopes operator"), "{small:?}");
    }
}
