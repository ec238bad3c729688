//! One server: the program `redis-server`, which is a Sentinel as well.

use super::{Certificates, PASSWORD, PASSWORD_IN_URL};
use crate::chat::eventually;
use redis::{Client, Cmd, FromRedisValue, RedisResult, TlsCertificates};
use std::{
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// A running server on loopback, killed when dropped. What it is told is in a file, which Sentinels write, too.
pub struct RedisServer {
    folder: TempDir,
    child: Option<Child>,
    /// Where it listens.
    pub(super) port: u16,
    role: Role,
}

/// What it is.
enum Role {
    Server,
    Tls(Certificates),
    Sentinel,
}

impl RedisServer {
    /// Starts one with these lines in its configuration, and waits until it answers.
    pub async fn start(lines: &[String]) -> Self {
        Self::start_as(Role::Server, lines).await
    }

    /// One that speaks TLS only.
    pub(super) async fn start_tls(certificates: Certificates) -> Self {
        let lines = certificates.lines();
        Self::start_as(Role::Tls(certificates), &lines).await
    }

    /// A Sentinel.
    pub(super) async fn start_sentinel(lines: &[String]) -> Self {
        Self::start_as(Role::Sentinel, lines).await
    }

    async fn start_as(role: Role, lines: &[String]) -> Self {
        let folder = tempfile::Builder::new().prefix("rag-chat-redis-").tempdir().unwrap();
        let port = free_port();
        let mut server = Self { folder, child: None, port, role };
        let configuration: Vec<_> = server.lines().iter().chain(lines).cloned().collect();
        std::fs::write(server.configuration(), configuration.join("\n")).unwrap();
        server.start_again().await;
        server
    }

    fn lines(&self) -> Vec<String> {
        let (folder, port) = (self.folder.path().display(), self.port);
        let ports = match self.role {
            Role::Server | Role::Sentinel => format!("port {port}"),
            Role::Tls(_) => format!("port 0\ntls-port {port}"),
        };
        let mut lines = vec!["bind 127.0.0.1".into(), ports, format!("dir {folder}"), "logfile log".into()];
        if !matches!(self.role, Role::Sentinel) {
            lines.extend(["save \"\"", "repl-diskless-sync-delay 0"].map(str::to_owned));
            lines.extend(["requirepass", "masterauth"].map(|name| format!("{name} {PASSWORD}")));
        }
        lines
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("conf")
    }

    /// Starts it again with what it wrote down, and waits until it answers.
    pub async fn start_again(&mut self) {
        let mut command = Command::new("redis-server");
        command.arg(self.configuration());
        command.args(matches!(self.role, Role::Sentinel).then_some("--sentinel"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn();
        self.child =
            Some(child.unwrap_or_else(|error| panic!("redis-server: {error}: run scripts/engines up")));
        eventually("a Redis answers", async || {
            if let Some(ended) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                panic!("redis-server ended ({ended}): {log}");
            }
            self.ask::<()>(&redis::cmd("PING")).await.ok()
        })
        .await;
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// Whether it was not killed.
    pub fn lives(&self) -> bool {
        self.child.is_some()
    }

    /// Where it is.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it answers.
    pub async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        command.query_async(&mut self.client()?.get_multiplexed_async_connection().await?).await
    }

    fn client(&self) -> RedisResult<Client> {
        let address = self.address();
        match &self.role {
            Role::Server | Role::Sentinel => Client::open(format!("redis://:{PASSWORD_IN_URL}@{address}")),
            Role::Tls(certificates) => Client::build_with_tls(
                format!("rediss://:{PASSWORD_IN_URL}@{address}"),
                TlsCertificates { client_tls: None, root_cert: Some(certificates.authority()) },
            ),
        }
    }

    /// Waits until it answers with this line, among others.
    pub(super) async fn until(&self, command: &Cmd, line: &str) {
        eventually(line, async || {
            let said: String = self.ask(command).await.ok()?;
            said.lines().any(|said| said == line).then_some(())
        })
        .await;
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that was free just now: a server cannot be asked which one it took. None of those that a system gives to
/// whoever connects somewhere, for it would be taken soon.
pub(super) fn free_port() -> u16 {
    loop {
        let port = rand::random_range(20_000..32_000);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
