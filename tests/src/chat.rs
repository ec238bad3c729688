//! The real program as a process, and a client of its HTTP interface.

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The program that was built beside the tests.
pub fn program() -> PathBuf {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let program = folder.join("chat");
    assert!(program.is_file(), "{} is missing: run the tests with scripts/test", program.display());
    program
}

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

/// A running `chat up`, killed when dropped.
pub struct Chat {
    child: Child,
    /// Where it listens.
    pub url: String,
    /// When it was started.
    pub started: Instant,
}

impl Chat {
    /// Starts it on a data folder and waits until it is ready.
    pub async fn up(data: &Path, settings: &[(&str, String)]) -> Self {
        let started = Instant::now();
        let log = std::fs::File::options().create(true).append(true).open(data.join("stderr.log")).unwrap();
        let mut child = Command::new(program())
            .args(["up", "--port", "0", "--data"])
            .arg(data)
            .env_clear()
            .env("PROMETHEUS_PORT", "0")
            .envs(settings.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let pid = child.id();
        let url = eventually("the program listens", async || {
            assert!(
                child.try_wait().unwrap().is_none(),
                "the program ended: see {}",
                data.join("stderr.log").display()
            );
            let holder: Value =
                serde_json::from_str(&std::fs::read_to_string(data.join("chat.lock")).ok()?).ok()?;
            (holder["pid"] == pid).then(|| holder["url"].as_str().map(str::to_owned))?
        })
        .await;
        let chat = Self { child, url, started };
        let client = chat.client();
        eventually("the program is ready", async || {
            let ready = client.http.get(format!("{}/ready", client.url)).send().await.ok()?;
            ready.status().is_success().then_some(())
        })
        .await;
        chat
    }

    /// A client of it.
    pub fn client(&self) -> ChatClient {
        ChatClient { http: http(), url: self.url.clone() }
    }

    /// `kill -9`: nothing can be saved.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as an operator does, and says how it ended.
    pub async fn stop(mut self) -> std::process::ExitStatus {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        let child = &mut self.child;
        eventually("the program stops", async || child.try_wait().unwrap()).await
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// An HTTP client that gives up in time.
pub fn http() -> Client {
    rustls::crypto::ring::default_provider().install_default().ok(); // a second call changes nothing
    Client::builder().connect_timeout(Duration::from_secs(5)).read_timeout(PATIENCE).build().unwrap()
}

/// A client of the HTTP interface.
#[derive(Clone)]
pub struct ChatClient {
    /// The connection pool.
    pub http: Client,
    /// Where the server listens.
    pub url: String,
}

impl ChatClient {
    /// The full address of a path under `/api/v1`.
    pub fn at(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.url)
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
