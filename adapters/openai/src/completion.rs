//! The language model.

use crate::{
    client::{Call, Client},
    errors,
    refusal::Refusal,
    request::Dialect,
    server::OpenAiServer,
    stream::{self, Waits},
};
use async_trait::async_trait;
use chat_core::{
    PortResult,
    ports::{Completion, CompletionStream, Llm},
};
use reqwest::Response;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::timeout_at;

/// Chat completions of a server, streamed.
///
/// An answer is bounded even if the server ignores `max_tokens`: after 16 bytes or 8 pieces a token (with a little
/// to spare: 1 KiB, 256 pieces), reasoning counted, it ends with `Finish(Length)` and the connection is closed.
pub struct OpenAiLlm {
    client: Arc<Client>,
    model: String,
    /// What the configured model turned out to want: later turns ask right at once.
    learned: Mutex<Dialect>,
}

impl OpenAiLlm {
    /// A model of a server. Connects to nobody yet.
    ///
    /// Settings that can never work are `Invalid`.
    pub fn new(server: &OpenAiServer, model: impl Into<String>) -> PortResult<Self> {
        Ok(Self { client: Arc::new(Client::new(server)?), model: model.into(), learned: Mutex::default() })
    }

    /// Asks, in other words if the server does not understand the first ones.
    async fn open(&self, completion: &Completion) -> PortResult<Response> {
        let is_own = completion.model.is_empty() || completion.model == self.model;
        let model = if is_own { &self.model } else { &completion.model };
        let mut dialect = if is_own { self.learned() } else { Dialect::default() };
        // Ends: every turn of the loop leaves out one thing more.
        loop {
            let refusal = match self.ask(dialect, model, completion).await {
                Ok(response) => break Ok(response),
                Err(refusal) => refusal,
            };
            let Some(next) = dialect.adapt(&refusal) else {
                break Err(refusal.into());
            };
            tracing::debug!(llm.model = %model, dialect = ?next, "the model server wants another request");
            dialect = next;
            if is_own {
                *self.learned.lock().unwrap_or_else(PoisonError::into_inner) = next;
            }
        }
    }

    async fn ask(&self, dialect: Dialect, model: &str, completion: &Completion) -> Result<Response, Refusal> {
        let call = Call { path: "/chat/completions", model, timeout: None, trace: completion.trace };
        self.client.post(&call, &dialect.request(model, completion)).await
    }

    fn learned(&self) -> Dialect {
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Llm for OpenAiLlm {
    fn model(&self) -> &str {
        &self.model
    }

    async fn pause(&self) -> Option<Duration> {
        self.client.pause(&self.model).await
    }

    async fn complete(&self, completion: Completion) -> PortResult<CompletionStream> {
        let waits = Waits::begin(&completion);
        let response = timeout_at(waits.first(), self.open(&completion))
            .await
            .map_err(|_| errors::silent("answer", completion.first_token_timeout))??;
        Ok(stream::read(response, waits, completion.max_tokens, self.client.clone()))
    }
}
