//! The real program as a process.

use crate::chat::{ChatClient, eventually, http};
use serde_json::Value;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

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

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `chat up`: everything.
    Up,
    /// `chat api`: the interface.
    Api,
    /// `chat worker`: the work.
    Worker,
}

impl Role {
    /// The command.
    pub fn command(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Api => "api",
            Self::Worker => "worker",
        }
    }
}

/// Settings, by name.
pub type Settings = Vec<(String, String)>;

/// A command of the program that serves nobody and ends by itself, such as `migrate`.
pub async fn run(arguments: &[&str], folder: &Path, settings: &Settings) {
    let log = folder.join(format!("{}.log", arguments[0]));
    let mut child = command(&log, settings).args(arguments).spawn().unwrap();
    let status = eventually("the command ends", async || child.try_wait().unwrap()).await;
    assert!(status.success(), "chat {arguments:?} {status}: {}", std::fs::read_to_string(log).unwrap());
}

/// What a command prints, as JSON.
pub async fn ask(arguments: &[&str], folder: &Path, settings: &Settings) -> Value {
    let log = folder.join(format!("{}-{}.log", arguments[0], rand::random::<u32>()));
    let mut child =
        command(&log, settings).stderr(Stdio::null()).args(arguments).arg("--json").spawn().unwrap();
    let status = eventually("the command ends", async || child.try_wait().unwrap()).await;
    let text = std::fs::read_to_string(log).unwrap();
    assert!(status.success(), "chat {arguments:?} {status}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("chat {arguments:?}: {error}: {text}"))
}

fn command(log: &Path, settings: &Settings) -> Command {
    let output = File::options().create(true).append(true).open(log).unwrap();
    let mut command = Command::new(program());
    command
        .env_clear()
        .envs([("PORT", "0"), ("PROMETHEUS_PORT", "0"), ("LOG_FORMAT", "json"), ("LOG_FILE", "off")])
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output);
    command
}

/// A running server, killed when dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
    /// Whether it was killed or stopped.
    pub ended: bool,
    /// What it does.
    pub role: Role,
    /// Where its interface is; none for a worker.
    pub url: Option<String>,
    /// Where its metrics and its health are: an address without a path.
    pub beside: String,
}

impl Process {
    /// Starts it and waits until it is ready. Its log is `NAME.log` in the folder.
    pub async fn start(role: Role, name: &str, folder: &Path, settings: &Settings) -> Self {
        let log = folder.join(format!("{name}.log"));
        let mut child = command(&log, settings).arg(role.command()).spawn().unwrap();
        let ready = eventually("the program is ready", async || {
            let ended = child.try_wait().unwrap();
            let text = std::fs::read_to_string(&log).unwrap();
            if let Some(ended) = ended {
                panic!("chat {} ended ({ended}): {text}", role.command());
            }
            text.lines().find_map(ready)
        })
        .await;
        let (url, metrics) = ready;
        let beside = metrics.trim_end_matches("/metrics").to_owned();
        Self { child, log, ended: false, role, url, beside }
    }

    /// A client of this process alone.
    pub fn client(&self) -> ChatClient {
        ChatClient::of(self.url.as_deref().expect("a worker has no interface"))
    }

    /// `ready`, `degraded`..., or nothing if it does not answer.
    pub async fn readiness(&self) -> Option<String> {
        let answer = http().get(format!("{}/ready", self.beside)).send().await.ok()?;
        answer.json::<Value>().await.ok()?["status"].as_str().map(str::to_owned)
    }

    /// The sum of a metric over its labels; none if there is no such metric.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        self.metric_of(name, "").await
    }

    /// The same, only of lines that hold this: `cache="session_data"`.
    pub async fn metric_of(&self, name: &str, label: &str) -> Option<f64> {
        let text = http().get(format!("{}/metrics", self.beside)).send().await.unwrap().text().await.unwrap();
        let values = text.lines().filter(|line| line.contains(label)).filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let value = if rest.starts_with('{') { rest.rsplit('}').next()? } else { rest };
            rest.starts_with(['{', ' ']).then(|| value.trim().parse::<f64>().ok())?
        });
        values.reduce(|one, other| one + other)
    }

    /// `kill -9`: nothing can be saved.
    pub fn kill(&mut self) {
        self.ended = true;
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "the process is gone: see {}", self.log.display());
    }

    /// Asks it to stop, as an operator does, and says how it ended.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.ended = true;
        let child = &mut self.child;
        eventually("the program stops", async || child.try_wait().unwrap()).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The line that says that a server is ready: where its interface is, if it has one, and its metrics.
fn ready(line: &str) -> Option<(Option<String>, String)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let field = |name: &str| line[name].as_str().or_else(|| line["fields"][name].as_str()).map(str::to_owned);
    (field("message")? == "ready").then(|| Some((field("url"), field("metrics")?)))?
}
