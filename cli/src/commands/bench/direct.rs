//! The same model without anything of ours in between: what a turn is held against.

use super::rig::failed;
use crate::failure::{Failure, Outcome};
use chat_config::{ModelProvider, Settings};
use chat_core::{
    Role,
    ports::{Completion, Delta, Llm, PromptMessage, Purpose},
};
use futures::StreamExt;
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a model may say nothing.
const SILENCE: Duration = Duration::from_mins(1);

/// A model that can be asked directly.
pub(super) enum Direct {
    /// A server, with its key.
    Http { http: reqwest::Client, url: String, key: Option<String>, model: String },
    /// What answers inside this process.
    Inside(Arc<dyn Llm>),
}

impl Direct {
    /// The configured model; none if it is inside another process.
    pub(super) fn of(settings: &Settings, inside: Option<Arc<dyn Llm>>) -> Option<Self> {
        match &settings.llm.provider {
            ModelProvider::Offline => inside.map(Self::Inside),
            ModelProvider::OpenAi { base_url, api_key } => Some(Self::Http {
                http: reqwest::Client::builder().no_proxy().read_timeout(SILENCE).build().ok()?,
                url: format!("{}/chat/completions", base_url.expose().trim_end_matches('/')),
                key: api_key.as_ref().map(|key| key.expose().to_owned()),
                model: settings.llm.model.clone(),
            }),
        }
    }

    /// How long it takes to its first piece of text.
    pub(super) async fn first_token(&self, question: &str) -> Outcome<Duration> {
        let started = Instant::now();
        match self {
            Self::Http { http, url, key, model } => {
                let body = json!({"model": model, "stream": true, "messages": [{"role": "user", "content": question}]});
                let request = http.post(url).json(&body);
                let request = if let Some(key) = key { request.bearer_auth(key) } else { request };
                let answer =
                    request.send().await.and_then(reqwest::Response::error_for_status).map_err(lost)?;
                let mut pieces = answer.bytes_stream();
                let mut read = Vec::new();
                while let Some(piece) = pieces.next().await {
                    read.extend_from_slice(&piece.map_err(lost)?);
                    if speaks(&read) {
                        let first = started.elapsed();
                        while pieces.next().await.is_some() {} // to its end: the next turn finds an idle model
                        return Ok(first);
                    }
                }
            }
            Self::Inside(llm) => {
                let mut pieces = llm.complete(completion(question)).await.map_err(failed)?;
                while let Some(piece) = pieces.next().await {
                    if matches!(piece.map_err(failed)?, Delta::Text(_)) {
                        return Ok(started.elapsed());
                    }
                }
            }
        }
        Err(Failure::new("the model said nothing"))
    }
}

/// Whether a chunk with text is among these bytes.
fn speaks(read: &[u8]) -> bool {
    String::from_utf8_lossy(read).lines().filter_map(|line| line.strip_prefix("data:")).any(|data| {
        let chunk: serde_json::Value = serde_json::from_str(data.trim()).unwrap_or_default();
        chunk["choices"][0]["delta"]["content"].as_str().is_some_and(|text| !text.is_empty())
    })
}

fn completion(question: &str) -> Completion {
    Completion {
        model: String::new(),
        purpose: Purpose::Answer,
        messages: vec![PromptMessage { role: Role::User, content: question.into() }],
        question: question.into(),
        passages: Vec::new(),
        temperature: 0.0,
        max_tokens: 1_000,
        trace: None,
        first_token_timeout: SILENCE,
        idle_timeout: SILENCE,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn lost(error: reqwest::Error) -> Failure {
    Failure::new(format!("the model does not answer: {error}"))
}
