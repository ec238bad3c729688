//! An app in a folder of its own, and the shortest way to talk to it.

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request},
    response::Response,
};
use bytes::Bytes;
use chat_api::{ApiOptions, AppState, router};
use chat_core::{
    PortResult,
    ports::{ParseInput, ParsedText, Parser, Ports, TextFormat},
};
use chat_embedded::{
    EmbeddedIndex, FileBlobs, MemoryBus, MemoryCache, MemoryLanes, MemoryLimiter, SqliteOptions, SqliteStore,
    SystemClock,
};
use chat_offline::{OfflineEmbedder, OfflineLlm};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;
use tower::ServiceExt;

/// The longest wait for anything.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Reads UTF-8: these tests are not about parsing.
struct PlainText;

#[async_trait]
impl Parser for PlainText {
    async fn parse(&self, input: ParseInput) -> PortResult<ParsedText> {
        Ok(ParsedText {
            text: String::from_utf8_lossy(&input.bytes).into_owned(),
            format: TextFormat::Plain,
            media_type: "text/plain".into(),
            charset: "UTF-8".into(),
            title: None,
        })
    }
}

/// The ports of a process whose state is in `folder`, and its store.
pub async fn ports(folder: &Path) -> (Ports, Arc<SqliteStore>) {
    let store = Arc::new(SqliteStore::open(SqliteOptions::new(folder.join("chat.db"))).await.unwrap());
    let ports = Ports {
        store: store.clone(),
        lanes: Arc::new(MemoryLanes::new()),
        bus: Arc::new(MemoryBus::new()),
        cache: Arc::new(MemoryCache::new()),
        limiter: Arc::new(MemoryLimiter::new(Arc::new(SystemClock))),
        blobs: Arc::new(FileBlobs::open(folder.join("blobs")).unwrap()),
        index: Arc::new(EmbeddedIndex::open(folder.join("index.db")).await.unwrap()),
        llm: Arc::new(OfflineLlm::new()),
        embedder: Arc::new(OfflineEmbedder::new()),
        parser: Arc::new(PlainText),
        clock: Arc::new(SystemClock),
    };
    (ports, store)
}

pub struct App {
    pub router: Router,
    pub state: AppState,
    pub store: Arc<SqliteStore>,
    pub folder: TempDir,
}

impl App {
    pub async fn start() -> Self {
        Self::with(ApiOptions::default()).await
    }

    pub async fn with(options: ApiOptions) -> Self {
        Self::over(tempfile::tempdir().unwrap(), options).await
    }

    async fn over(folder: TempDir, options: ApiOptions) -> Self {
        Self::limited(folder, options, chat_jobs::Options::default()).await
    }

    /// An app whose work is configured otherwise.
    pub async fn limited(folder: TempDir, options: ApiOptions, work: chat_jobs::Options) -> Self {
        let (ports, store) = ports(folder.path()).await;
        let state = AppState::new(ports, options, Arc::new(work));
        Self { router: router(state.clone()), state, store, folder }
    }

    /// The same state after a restart of the process.
    pub async fn restart(self) -> Self {
        Self::over(self.folder, ApiOptions::default()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        Reply::read(self.open(request).await).await
    }

    /// The answer's head; the body is still to come.
    pub async fn open(&self, mut request: Request<Body>) -> Response {
        let headers = request.headers_mut();
        headers.entry("host").or_insert(HeaderValue::from_static("localhost"));
        tokio::time::timeout(DEADLINE, self.router.clone().oneshot(request)).await.unwrap().unwrap()
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Request::delete(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(json_request("POST", path, &body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(json_request("PATCH", path, &body)).await
    }

    pub async fn post_with_key(&self, path: &str, key: &str, body: Value) -> Reply {
        let mut request = json_request("POST", path, &body);
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        self.send(request).await
    }

    /// A new session's path.
    pub async fn session(&self) -> String {
        self.post("/api/v1/sessions", json!({})).await.is(201).header("location")
    }

    /// A new collection's path.
    pub async fn collection(&self, name: &str) -> String {
        self.post("/api/v1/collections", json!({"name": name})).await.is(201).header("location")
    }

    /// How many files the blob store holds, once what is under way has ended.
    pub async fn files(&self) -> usize {
        while !self.state.tasks.is_empty() {
            tokio::task::yield_now().await;
        }
        count(&self.folder.path().join("blobs"))
    }
}

fn count(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
}

pub fn json_request(method: &str, path: &str, body: &Value) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}

pub struct Reply {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub body: Bytes,
}

impl Reply {
    async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body =
            tokio::time::timeout(DEADLINE, axum::body::to_bytes(body, usize::MAX)).await.unwrap().unwrap();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Asserts the status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> String {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no header {name}"));
        value.to_str().unwrap().to_owned()
    }

    /// Asserts a problem with all its members; returns the names of the bad fields.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Vec<String> {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert!(!self.header("x-request-id").is_empty());
        let body = self.json();
        assert_eq!((&body["code"], &body["error"]["code"]), (&json!(code), &json!(code)));
        assert_eq!(body["status"], status);
        for member in ["type", "title", "detail", "instance"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {body}");
        }
        assert_eq!(body["error"]["message"], body["detail"]);
        let errors = body["errors"].as_array().unwrap();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }
}

/// One event as a client reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    pub id: u64,
    pub event: String,
    pub data: Value,
}

/// Reads a response's frames.
pub struct Frames {
    body: axum::body::BodyDataStream,
    text: String,
}

impl Frames {
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next piece between empty lines; `None` at the end.
    pub async fn piece(&mut self) -> Option<String> {
        loop {
            if let Some((piece, rest)) = self.text.split_once("\n\n") {
                let (piece, rest) = (piece.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(piece);
            }
            let bytes =
                tokio::time::timeout(DEADLINE, self.body.next()).await.expect("the stream is silent")?;
            self.text.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
        }
    }

    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            let piece = self.piece().await?;
            if !piece.starts_with(':') {
                return Some(frame(&piece));
            }
        }
    }

    pub async fn rest(mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            frames.push(frame);
        }
        frames
    }
}

fn frame(piece: &str) -> Frame {
    let field = |name: &str| piece.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let data: Value = serde_json::from_str(&field("data: ")).unwrap();
    let frame = Frame { id: field("id: ").parse().unwrap(), event: field("event: "), data };
    assert_eq!(frame.data["sequence_number"], frame.id);
    assert_eq!(frame.data["type"], json!(frame.event));
    frame
}
