//! The HTTP client that both ports share.

use crate::{Gate, errors, refusal::Refusal, secrets::Secrets, server::OpenAiServer, waits};
use async_openai::config::{Config, OpenAIConfig};
use chat_core::{ErrorKind, PortError, PortResult, TraceParent};
use reqwest::{
    RequestBuilder, Response, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

const TRACE: &str = "traceparent";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Below the keep-alive of common servers and balancers: a connection that they just closed costs a failed request.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// Sends requests and tells refusals from answers.
pub(crate) struct Client {
    http: reqwest::Client,
    config: OpenAIConfig,
    headers: HeaderMap,
    gate: Option<Arc<Gate>>,
    pub(crate) secrets: Secrets,
}

/// What is sent besides a body, and how.
pub(crate) struct Call<'a> {
    /// Behind the base URL.
    pub(crate) path: &'a str,
    /// The model that is asked.
    pub(crate) model: &'a str,
    /// For the whole answer, its body included.
    pub(crate) timeout: Option<Duration>,
    /// Told to the server, which may log it.
    pub(crate) trace: Option<TraceParent>,
}

impl Client {
    /// Checks the settings; connects to nobody yet.
    pub(crate) fn new(server: &OpenAiServer) -> PortResult<Self> {
        let url = base_url(&server.base_url)?;
        let config = config(server, &url)?;
        let headers = headers(server, &config);
        let values = server.headers.iter().map(|(_, value)| value.clone());
        let secrets = Secrets::new(values.chain(server.api_key.clone()));
        let gate = server.gate.clone();
        Ok(Self { http: http(&url)?, config, headers, gate, secrets })
    }

    /// Sends `body` and answers as soon as the headers of a success are here. A model whose server has asked for a pause
    /// is not asked.
    pub(crate) async fn post(
        &self,
        call: &Call<'_>,
        body: &(impl Serialize + Sync),
    ) -> Result<Response, Refusal> {
        if let Some(pause) = self.pause(call.model).await {
            return Err(errors::paused(pause).into());
        }
        let request = self.http.post(self.config.url(call.path)).headers(self.headers.clone()).json(body);
        let request = call.timeout.into_iter().fold(request, RequestBuilder::timeout);
        let traced = |request: RequestBuilder, trace: TraceParent| request.header(TRACE, trace.to_string());
        let request = call.trace.into_iter().fold(request, traced);
        let response = request.send().await.map_err(errors::transport)?;
        if response.status().is_success() {
            self.hold(call.model, waits::used_up(response.headers())).await;
            return Ok(response);
        }
        let mut refusal = Refusal::read(response, &self.secrets).await;
        if refusal.error.kind == ErrorKind::RateLimited {
            metrics::counter!("llm_rate_limited_total", "model" => call.model.to_owned()).increment(1);
            self.hold(call.model, refusal.error.retry_after).await;
            // Those who were told at the same time do not come back at the same time.
            let pause = self.pause(call.model).await;
            refusal.error.retry_after = refusal.error.retry_after.and(pause).or(refusal.error.retry_after);
        }
        Err(refusal)
    }

    /// How long a model is not to be asked.
    pub(crate) async fn pause(&self, model: &str) -> Option<Duration> {
        self.gate.as_ref()?.pause(&self.place(model)).await
    }

    async fn hold(&self, model: &str, asked: Option<Duration>) {
        if let (Some(gate), Some(asked)) = (&self.gate, asked) {
            gate.hold(&self.place(model), asked).await;
        }
    }

    /// Servers count each model by itself.
    fn place(&self, model: &str) -> String {
        format!("{} {model}", self.config.api_base())
    }
}

/// Reads the whole body.
///
/// A body of more than `limit` bytes is a `Protocol` error.
pub(crate) async fn read_body(mut response: Response, limit: usize) -> PortResult<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.map_err(errors::transport)? {
        if body.len() + bytes.len() > limit {
            return Err(errors::protocol(format_args!("an answer of more than {limit} bytes")));
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

fn base_url(text: &str) -> PortResult<Url> {
    let url = Url::parse(text.trim())
        .map_err(|error| PortError::invalid("the model server's address is no URL").with_source(error))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(PortError::invalid("the model server's address must begin with http:// or https://"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(PortError::invalid("the model server's address must have no query and no fragment"));
    }
    Ok(url)
}

/// Every value is set: the crate's defaults come from the environment, which is not this crate's to read, and its
/// header maker panics on a key with a line break.
fn config(server: &OpenAiServer, url: &Url) -> PortResult<OpenAIConfig> {
    let key = server.api_key.as_deref().unwrap_or_default();
    HeaderValue::from_str(key)
        .map_err(|_| PortError::invalid("the model server's key holds characters that no header can"))?;
    let config = OpenAIConfig::new()
        .with_api_base(url.as_str().trim_end_matches('/'))
        .with_api_key(key)
        .with_org_id("")
        .with_project_id("");
    server.headers.iter().try_fold(config, |config, (name, value)| {
        let refused = |_| PortError::invalid(format!("the header {name:?} cannot be sent"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| refused(error.to_string()))?;
        config.with_header(name, value).map_err(|error| refused(error.to_string()))
    })
}

fn headers(server: &OpenAiServer, config: &OpenAIConfig) -> HeaderMap {
    let mut headers = config.headers();
    let is_own = server.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(AUTHORIZATION.as_str()));
    if server.api_key.is_none() && !is_own {
        // A bearer without a token makes some gateways answer 400.
        headers.remove(AUTHORIZATION);
    }
    if let Some(value) = headers.get_mut(AUTHORIZATION) {
        value.set_sensitive(true);
    }
    headers
}

fn http(url: &Url) -> PortResult<reqwest::Client> {
    // Fails if some provider is installed already: then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        // One connection per stream: dropping a stream closes it, and no server limit on streams of one
        // connection makes turns wait for each other.
        .http1_only()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE)
        // A redirected POST loses its body.
        .redirect(Policy::none());
    let builder = if is_local(url) { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| PortError::internal("the HTTP client cannot be built").with_source(error))
}

/// A proxy of the environment cannot reach this machine's own model server.
fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_core::ErrorKind;

    #[test]
    fn settings_that_cannot_work_are_refused_at_once() {
        let good = OpenAiServer::new("http://127.0.0.1:1/v1/");
        assert_eq!(Client::new(&good).ok().unwrap().config.url("/models"), "http://127.0.0.1:1/v1/models");
        for bad in [
            OpenAiServer::new(""),
            OpenAiServer::new("127.0.0.1:80"),
            OpenAiServer::new("ftp://host/v1"),
            OpenAiServer::new("http://host/v1?key=1"),
            good.clone().with_api_key("line\nbreak"),
            good.clone().with_header("na me", "x"),
            good.clone().with_header("name", "line\nbreak"),
        ] {
            assert_eq!(Client::new(&bad).err().map(|error| error.kind), Some(ErrorKind::Invalid), "{bad:?}");
        }
    }

    #[test]
    fn the_key_is_sent_only_if_there_is_one_and_never_shown() {
        let open = OpenAiServer::new("http://[::1]:1/v1");
        assert!(!Client::new(&open).ok().unwrap().headers.contains_key(AUTHORIZATION));
        let keyed = open.with_api_key("sk-secret").with_header("x-extra", "hush-hush");
        let client = Client::new(&keyed).ok().unwrap();
        assert_eq!(client.headers[AUTHORIZATION], "Bearer sk-secret");
        assert!(!format!("{:?} {keyed:?}", client.headers).contains("sk-secret"));
        assert!(!format!("{keyed:?}").contains("hush"));
    }
}
