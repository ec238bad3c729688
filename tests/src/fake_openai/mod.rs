//! A fake OpenAI server on 127.0.0.1, for tests, benchmarks and trying by hand.
//!
//! It answers `POST /v1/chat/completions` (streamed or not), `POST /v1/embeddings` and `GET /v1/models`. What it does
//! is its [`Script`]: one for all requests ([`FakeOpenAi::script`]), changed for a single request by directives in the
//! API key, the model's name or the last user message (for embeddings: any text), in this order:
//!
//! ```text
//! Why is the sky blue? [[fake: tps=20; ttft=300; say=Because of Rayleigh.]]
//! ```
//!
//! [`DIRECTIVES`] lists them. Everything asked, and when each stream was opened and closed, stands in the
//! [`Journal`]: the fake sees a client go away at once, even while it sends nothing.

mod chat;
mod embeddings;
mod journal;
mod listening;
mod refusal;
mod script;
mod stream;
mod wire;

pub use journal::{Call, Journal, StreamRecord};
pub use script::{Break, DIRECTIVES, Refusal, Script};

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use listening::Listening;
use serde_json::json;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// The running server. Dropping it stops listening; streams that are open go on.
pub struct FakeOpenAi {
    inner: Arc<Inner>,
    address: SocketAddr,
    listening: Mutex<Option<Listening>>,
}

struct Inner {
    script: Mutex<Script>,
    journal: Journal,
    /// Counts up: every stream that waits is cut.
    cut: watch::Sender<u64>,
    connections: AtomicU64,
}

impl FakeOpenAi {
    /// Starts on a free port with the default script.
    pub async fn start() -> Self {
        Self::start_on(0).await
    }

    /// Starts on this port; panics if it is taken.
    pub async fn start_on(port: u16) -> Self {
        let inner = Arc::new(Inner {
            script: Mutex::new(Script::default()),
            journal: Journal::default(),
            cut: watch::Sender::new(0),
            connections: AtomicU64::new(0),
        });
        let listening = Listening::start(port, &inner).await;
        Self { address: listening.address(), inner, listening: Mutex::new(Some(listening)) }
    }

    /// The base URL for clients, `/v1` included.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Sets the script of all requests to come.
    pub fn script(&self, script: Script) {
        *self.inner.script.lock().unwrap() = script;
    }

    /// Sets the script by directives, without the brackets: `tps=20; no-usage`. Panics on an unknown one.
    pub fn directives(&self, directives: &str) {
        self.script(Script::parse(directives).unwrap());
    }

    /// What was asked and streamed.
    pub fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> u64 {
        self.inner.connections.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Refuses connections from now on. Open streams go on, idle connections are closed.
    pub async fn stop_listening(&self) {
        let listening = self.listening.lock().unwrap().take();
        if let Some(listening) = listening {
            listening.stop().await;
        }
    }

    /// Listens again, on the same port.
    pub async fn listen_again(&self) {
        let listening = Listening::start(self.address.port(), &self.inner).await;
        *self.listening.lock().unwrap() = Some(listening);
    }

    /// Cuts every open stream, as a server that dies does.
    pub fn cut_streams(&self) {
        self.inner.cut.send_modify(|count| *count += 1);
    }

    /// Waits until the condition holds; panics after `limit`.
    pub async fn until(&self, limit: Duration, condition: impl Fn(&Journal) -> bool) {
        let deadline = Instant::now() + limit;
        while !condition(&self.inner.journal) {
            assert!(Instant::now() < deadline, "not within {limit:?}: {:?}", self.inner.journal.streams());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn router(inner: &Arc<Inner>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat::complete))
        .route("/v1/embeddings", post(embeddings::embed))
        .route(
            "/v1/models",
            get(|| async { Json(json!({"object": "list", "data": [{"id": "fake", "object": "model"}]})) }),
        )
        .layer(DefaultBodyLimit::max(64 * 1024 * 1024))
        .with_state(inner.clone())
}
