//! An answer that is no success.

use crate::{errors::Told, secrets::Secrets, waits};
use chat_core::{ErrorKind, PortError};
use reqwest::{Response, StatusCode};
use std::time::Duration;

/// As much of an error's body as is read, in bytes.
const BODY: usize = 64 * 1024;
/// The status is worth more than a body that does not come.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a request failed, and what the server said if it said anything.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// None: no answer came.
    pub(crate) status: Option<StatusCode>,
    /// The server's whole message, lower-cased, to look for names of parameters.
    pub(crate) said: String,
    pub(crate) error: PortError,
}

impl From<PortError> for Refusal {
    fn from(error: PortError) -> Self {
        Self { status: None, said: String::new(), error }
    }
}

impl From<Refusal> for PortError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

impl Refusal {
    pub(crate) async fn read(response: Response, secrets: &Secrets) -> Self {
        let status = response.status();
        let wait = waits::wait(response.headers());
        let body = read_some(response).await;
        let told = Told::from_body(&body);
        let kind = told.kind(status);
        let message = sentence(kind, status, &secrets.tidy(&told.message));
        let error = PortError::new(kind, message).with_retry_after(wait.filter(|_| kind.is_retryable()));
        Self { status: Some(status), said: body.to_lowercase(), error }
    }

    /// Whether the server complains about the request itself.
    pub(crate) fn is_about_parameters(&self) -> bool {
        self.status.is_some_and(|status| matches!(status.as_u16(), 400 | 422))
    }
}

async fn read_some(mut response: Response) -> String {
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(bytes)) = response.chunk().await {
            let room = BODY - body.len();
            body.extend_from_slice(&bytes[..bytes.len().min(room)]);
            if body.len() >= BODY {
                break;
            }
        }
    };
    // What came until then is used: the status alone already says enough.
    let _ = tokio::time::timeout(BODY_TIMEOUT, reading).await;
    String::from_utf8_lossy(&body).into_owned()
}

fn sentence(kind: ErrorKind, status: StatusCode, said: &str) -> String {
    let what = match kind {
        ErrorKind::Unauthorized => "does not let us in",
        ErrorKind::RateLimited => "asks us to slow down",
        ErrorKind::Timeout => "gave up waiting",
        ErrorKind::Unavailable => "is in trouble",
        _ if status.is_redirection() => "is elsewhere (is the base URL right?)",
        _ => "refused the request",
    };
    let colon = if said.is_empty() { "" } else { ": " };
    format!("the model server {what} ({}){colon}{said}", status.as_u16())
}
