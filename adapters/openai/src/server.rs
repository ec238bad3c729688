//! Where the server is and how to be let in.

use crate::Gate;
use std::{fmt, sync::Arc};

/// An OpenAI-compatible server.
#[derive(Clone, Default)]
pub struct OpenAiServer {
    /// What `/chat/completions` is appended to, such as `https://api.openai.com/v1`; no query.
    pub base_url: String,
    /// Sent as `Authorization: Bearer`; without it no such header is sent.
    pub api_key: Option<String>,
    /// Further headers of every request; they win over the ones that the adapter sets.
    pub headers: Vec<(String, String)>,
    /// Where pauses that the server asks for are kept; without it every call asks.
    pub gate: Option<Arc<Gate>>,
}

impl OpenAiServer {
    /// A server that wants no key.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..Self::default() }
    }

    /// With the key; an empty one is none.
    #[must_use]
    pub fn with_api_key(mut self, api_key: impl Into<String>) -> Self {
        self.api_key = Some(api_key.into()).filter(|key| !key.is_empty());
        self
    }

    /// Pauses that it asks for are heeded by all that share this.
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<Gate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// Without the key and without header values: either may be a secret.
impl fmt::Debug for OpenAiServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("OpenAiServer")
            .field("base_url", &self.base_url)
            .field("api_key", &self.api_key.as_ref().map(|_| "[hidden]"))
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}
