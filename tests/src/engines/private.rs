//! An engine that belongs to one test, which may stop it.

use super::script;
use crate::process::Settings;
use std::{os::unix::fs::PermissionsExt, process::Command};
use tempfile::TempDir;

/// An engine of `scripts/engines` with a state of its own; gone when dropped.
pub struct PrivateEngine {
    name: &'static str,
    state: TempDir,
    setting: &'static str,
    url: String,
}

impl PrivateEngine {
    /// A running Redis.
    pub fn redis() -> Self {
        Self::start_new("redis", "REDIS_URL")
    }

    /// A running PostgreSQL.
    pub fn postgres() -> Self {
        Self::start_new("postgres", "DATABASE_URL")
    }

    fn start_new(name: &'static str, setting: &'static str) -> Self {
        // PostgreSQL runs as a user of its own, who must get through.
        let state = tempfile::Builder::new()
            .prefix("rag-chat-engine-")
            .permissions(std::fs::Permissions::from_mode(0o711))
            .tempdir_in("/var/tmp")
            .unwrap();
        let mut engine = Self { name, state, setting, url: String::new() };
        engine.start();
        let environment = engine.call(&["env"]);
        let url = environment.lines().find_map(|line| line.strip_prefix(setting)?.strip_prefix('='));
        url.expect("scripts/engines env names every engine").clone_into(&mut engine.url);
        engine
    }

    /// Starts it, and waits until it is healthy.
    pub fn start(&self) {
        self.call(&["start", self.name]);
    }

    /// Stops it.
    pub fn stop(&self) {
        self.call(&["stop", self.name]);
    }

    /// Stops and starts it.
    pub fn restart(&self) {
        self.call(&["restart", self.name]);
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How the program is told of it.
    pub fn settings(&self) -> Settings {
        vec![(self.setting.to_owned(), self.url.clone())]
    }

    /// Empties a Redis.
    pub async fn flush(&self) {
        let client = redis::Client::open(self.url.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis::cmd("FLUSHALL").exec_async(&mut connection).await.unwrap();
    }

    fn call(&self, arguments: &[&str]) -> String {
        let output = Command::new(script())
            .args(arguments)
            .env("RAG_CHAT_ENGINES", self.state.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "scripts/engines {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        Command::new(script()).arg("reset").env("RAG_CHAT_ENGINES", self.state.path()).output().ok();
    }
}
