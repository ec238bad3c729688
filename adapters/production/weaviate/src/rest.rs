//! The REST interface: version, readiness, schema.

use crate::WeaviateOptions;
use chat_core::{ErrorKind, PortError, PortResult};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use std::time::Duration;

/// The oldest version that is accepted: nothing older was looked at.
const OLDEST: (u32, u32) = (1, 36);
const CONNECT: Duration = Duration::from_secs(2);
/// A change of the schema has to reach every node.
const ANSWER: Duration = Duration::from_secs(30);
/// Readiness is asked often, and an answer that is late is none.
const READY: Duration = Duration::from_secs(2);
/// What a caller is told to wait when the server is away.
pub(crate) const AWAY: Duration = Duration::from_secs(2);

pub(crate) struct Rest {
    client: Client,
    url: String,
    api_key: Option<String>,
}

impl Rest {
    pub(crate) fn new(options: &WeaviateOptions) -> PortResult<Self> {
        let client = Client::builder().connect_timeout(CONNECT).timeout(ANSWER).build();
        let client =
            client.map_err(|error| PortError::internal("no HTTP client can be made").with_source(error))?;
        let url = options.url.trim_end_matches('/').to_owned();
        Ok(Self { client, url, api_key: options.api_key.clone() })
    }

    /// Asks; `None` if there is no such thing.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> PortResult<Option<Value>> {
        let mut request = self.client.request(method, format!("{}/v1{path}", self.url));
        if let Some(key) = &self.api_key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(away)?;
        let status = answer.status();
        let text = answer.text().await.map_err(away)?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(serde_json::from_str(&text).unwrap_or_default())),
            status => Err(refused(status, &text)),
        }
    }

    pub(crate) async fn is_ready(&self) -> PortResult<()> {
        let request = self.client.get(format!("{}/v1/.well-known/ready", self.url)).timeout(READY);
        let status = request.send().await.map_err(away)?.status();
        if status.is_success() { Ok(()) } else { Err(refused(status, "")) }
    }

    pub(crate) async fn check_version(&self) -> PortResult<()> {
        let meta = self.ask(Method::GET, "/meta", None).await?.unwrap_or_default();
        let found = meta["version"].as_str().unwrap_or("unknown");
        if version(found).is_some_and(|version| version >= OLDEST) {
            return Ok(());
        }
        let (major, minor) = OLDEST;
        Err(PortError::invalid(format!("this is Weaviate {found}, and {major}.{minor} or newer is needed")))
    }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn away(error: reqwest::Error) -> PortError {
    PortError::unavailable("the index does not answer").with_retry_after(Some(AWAY)).with_source(error)
}

fn refused(status: StatusCode, text: &str) -> PortError {
    let said: Value = serde_json::from_str(text).unwrap_or_default();
    let said = said["error"][0]["message"].as_str().unwrap_or_default();
    let (kind, message) = match status.as_u16() {
        401 | 403 => (ErrorKind::Unauthorized, "the index refuses the key".to_owned()),
        429 => (ErrorKind::RateLimited, "the index asks for a pause".to_owned()),
        500.. => (ErrorKind::Unavailable, "the index cannot do it now".to_owned()),
        _ => (ErrorKind::Internal, format!("the index refused a change of its schema: {said}")),
    };
    PortError::new(kind, message).with_retry_after((kind == ErrorKind::Unavailable).then_some(AWAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(version("1.39.0").is_some_and(|found| found >= OLDEST));
        assert!(version("1.36.0-rc.1").is_some_and(|found| found >= OLDEST));
        assert!(version("1.9.12").is_some_and(|found| found < OLDEST));
        assert!(version("2.0.0").is_some_and(|found| found >= OLDEST));
        assert_eq!(version("unknown"), None);
    }
}
