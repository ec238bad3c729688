//! A client of the HTTP interface.

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Polls a condition until it holds.
pub async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "gave up waiting: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// An HTTP client that gives up in time.
pub fn http() -> Client {
    rustls::crypto::ring::default_provider().install_default().ok(); // a second call changes nothing
    Client::builder().connect_timeout(Duration::from_secs(5)).read_timeout(PATIENCE).build().unwrap()
}

/// Where the interface is served now. Processes come and go, so this is shared and changes.
#[derive(Clone, Default)]
pub struct Addresses(Arc<RwLock<Vec<String>>>);

impl Addresses {
    /// Replaces them all. Nothing replaces something by nobody: a caller then meets a closed door, as outside.
    pub fn set(&self, urls: Vec<String>) {
        if !urls.is_empty() {
            *self.0.write().unwrap() = urls;
        }
    }

    /// All of them.
    pub fn all(&self) -> Vec<String> {
        self.0.read().unwrap().clone()
    }
}

/// A client of the HTTP interface; of several addresses it takes the next for every request.
#[derive(Clone)]
pub struct ChatClient {
    /// The connection pool.
    pub http: Client,
    addresses: Addresses,
    next: Arc<AtomicUsize>,
}

impl ChatClient {
    /// A client of whoever listens there at the time of a request.
    pub fn new(addresses: Addresses) -> Self {
        Self { http: http(), addresses, next: Arc::default() }
    }

    /// A client of one address.
    pub fn of(url: &str) -> Self {
        let addresses = Addresses::default();
        addresses.set(vec![url.to_owned()]);
        Self::new(addresses)
    }

    /// The same for a caller with this key.
    #[must_use]
    pub fn with_key(self, key: &str) -> Self {
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("authorization", format!("Bearer {key}").parse().unwrap());
        let http = Client::builder().connect_timeout(Duration::from_secs(5)).read_timeout(PATIENCE);
        Self { http: http.default_headers(headers).build().unwrap(), ..self }
    }

    /// The next address.
    pub fn url(&self) -> String {
        let all = self.addresses.all();
        all[self.next.fetch_add(1, Ordering::Relaxed) % all.len()].clone()
    }

    /// The full address of a path under `/api/v1`.
    pub fn at(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.url())
    }

    /// `POST` of JSON; status and body.
    pub async fn post(&self, path: &str, body: &Value) -> reqwest::Result<(StatusCode, Value)> {
        let answer = self.http.post(self.at(path)).json(body).send().await?;
        Ok((answer.status(), answer.json().await?))
    }

    /// `GET`; status and body.
    pub async fn get(&self, path: &str) -> reqwest::Result<(StatusCode, Value)> {
        let answer = self.http.get(self.at(path)).send().await?;
        Ok((answer.status(), answer.json().await?))
    }

    /// `DELETE`; the status.
    pub async fn delete(&self, path: &str) -> reqwest::Result<StatusCode> {
        Ok(self.http.delete(self.at(path)).send().await?.status())
    }

    /// A new session's id.
    pub async fn session(&self, body: &Value) -> String {
        let (status, session) = self.post("/sessions", body).await.unwrap();
        assert_eq!(status, 201, "{session}");
        session["id"].as_str().unwrap().to_owned()
    }

    /// A new collection's id.
    pub async fn collection(&self, name: &str) -> String {
        let (status, collection) = self.post("/collections", &json!({ "name": name })).await.unwrap();
        assert_eq!(status, 201, "{collection}");
        collection["id"].as_str().unwrap().to_owned()
    }

    /// Uploads text as a file; the document as it was answered.
    pub async fn upload(
        &self,
        collection: &str,
        filename: &str,
        text: &str,
    ) -> reqwest::Result<(StatusCode, Value)> {
        let body = json!({ "text": text, "filename": filename });
        self.post(&format!("/collections/{collection}/documents"), &body).await
    }

    /// Waits until a document has ended, and returns it.
    pub async fn document_end(&self, id: &str) -> Value {
        eventually("the document ends", async || {
            let (_, document) = self.get(&format!("/documents/{id}")).await.ok()?;
            matches!(document["status"].as_str(), Some("ready" | "failed" | "cancelled")).then_some(document)
        })
        .await
    }

    /// Asks; the accepted message and response.
    pub async fn ask(&self, session: &str, content: &str) -> reqwest::Result<(StatusCode, Value)> {
        self.post(&format!("/sessions/{session}/messages"), &json!({ "content": content })).await
    }

    /// Waits until a response has ended, and returns it.
    pub async fn response_end(&self, id: &str) -> Value {
        eventually("the response ends", async || {
            let (_, response) = self.get(&format!("/responses/{id}")).await.ok()?;
            let status = response["status"].as_str()?;
            (!matches!(status, "queued" | "in_progress")).then_some(response)
        })
        .await
    }

    /// Opens a response's events after a number.
    pub async fn events(&self, response: &str, after: u64) -> reqwest::Result<Response> {
        let request = self.http.get(self.at(&format!("/responses/{response}/events")));
        let request = if after > 0 { request.header("Last-Event-ID", after.to_string()) } else { request };
        request.send().await
    }
}
