//! One HTTP client with its timeouts; JSON in, JSON or a problem out.

use super::error::{ClientError, Refusal};
use crate::{
    failure::{Failure, Outcome},
    telemetry,
};
use chat_config::Secret;
use chat_core::{Scope, Tenant};
use reqwest::{Method, RequestBuilder, Response, Url, header::RETRY_AFTER};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long the token of a request is good: clocks of two machines differ.
const TOKEN: Duration = Duration::from_mins(5);
const CONNECT: Duration = Duration::from_secs(5);
/// Between two pieces of an answer. Streams say every 10 s that they are alive.
const SILENCE: Duration = Duration::from_mins(1);
/// How often a request is repeated that the server was too busy for.
const BUSY_TRIES: u32 = 8;
/// The longest wait before a repetition: whoever is told to wait longer is told so at once.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    api_key: Option<Secret>,
    secret_key: Option<Secret>,
}

impl Client {
    /// A client of the server at this URL.
    pub fn new(url: &str) -> Outcome<Self> {
        let wrong = |why: String| Failure::wrong_use(format!("{url} is not the address of a server: {why}"));
        let parsed = Url::parse(url).map_err(|error| wrong(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
            return Err(wrong("it must start with http:// or https://".into()));
        }
        let mut builder = reqwest::Client::builder().connect_timeout(CONNECT).read_timeout(SILENCE);
        if is_here(&parsed) {
            // A proxy would look for the server on its own machine.
            builder = builder.no_proxy();
        }
        let http =
            builder.build().map_err(|error| Failure::new(format!("no HTTP client can be made: {error}")))?;
        Ok(Self { http, base: url.trim_end_matches('/').to_owned(), api_key: None, secret_key: None })
    }

    /// Who has the server's `SECRET_KEY` needs no API key: each request brings a token of its own.
    #[must_use]
    pub fn with_secret_key(self, secret_key: Option<Secret>) -> Self {
        Self { secret_key, ..self }
    }

    /// What `chat keys create` printed. It counts more than the `SECRET_KEY`.
    #[must_use]
    pub fn with_api_key(self, api_key: Option<Secret>) -> Self {
        Self { api_key, ..self }
    }

    /// The server's address, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The key, or a token for one request or connection; none where nobody has to say who they are.
    pub fn bearer(&self) -> Option<String> {
        let key = self.api_key.as_ref().map(|key| key.expose().to_owned());
        key.or_else(|| self.secret_key.as_ref().and_then(token))
    }

    /// A request to `/api/v1{path}`.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.base));
        match self.bearer() {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request that `make` builds; again if the server is too busy, when it says so.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        make: impl Fn() -> RequestBuilder,
    ) -> Result<T, ClientError> {
        self.read(self.send(make).await?).await
    }

    /// Reads an answer.
    pub(super) async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, ClientError> {
        response.json().await.map_err(|error| ClientError::transport(&self.base, &error))
    }

    /// The same, for an answer that is not JSON.
    pub(super) async fn send(&self, make: impl Fn() -> RequestBuilder) -> Result<Response, ClientError> {
        let mut tries = 0;
        loop {
            let error = match self.once(make()).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            tries += 1;
            match error.retry_after() {
                Some(wait) if tries < BUSY_TRIES && wait <= LONGEST_WAIT => tokio::time::sleep(wait).await,
                _ => return Err(error),
            }
        }
    }

    /// Sends a request whose body can be sent only once.
    pub(super) async fn once(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|error| ClientError::transport(&self.base, &error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let mut refusal = refusal(response).await;
        refusal.with_key = self.api_key.is_some() || self.secret_key.is_some();
        Err(ClientError::Refused(refusal))
    }
}

fn token(secret_key: &Secret) -> Option<String> {
    let now = telemetry::now().into();
    chat_api::sign_token(secret_key.expose(), &Tenant::default(), Scope::Admin, now, TOKEN)
}

fn is_here(url: &Url) -> bool {
    url.host_str().is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127."))
}

async fn refusal(response: Response) -> Refusal {
    let status = response.status();
    let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = header.and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let problem = response.json::<Refusal>().await;
    let mut refusal = problem.unwrap_or_else(|_| Refusal {
        status: status.as_u16(),
        detail: format!("the server answers {status}"),
        ..Refusal::default()
    });
    refusal.retry_after = retry_after;
    refusal
}
