//! The processes that are measured: interfaces and a worker where engines are configured, else one that is all.

use crate::{
    commands::bench::rig::resident_kib,
    failure::{Failure, Outcome},
};
use chat_config::{DatabaseUrl, RedisUrl, Settings};
use serde_json::Value;
use std::{
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::{sleep, timeout},
};

/// How long a process may take to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Running processes; killed when dropped.
pub(super) struct Fleet {
    apis: Vec<Process>,
    /// None: the only interface works, too.
    worker: Option<Process>,
}

struct Process {
    child: Child,
    url: String,
}

/// Resident memory in KiB: of the interfaces, of the worker.
pub(super) type Memory = (Vec<f64>, f64);

/// How much more memory the load took.
pub(super) struct Peaks {
    /// Of all interfaces; none where one process is everything.
    pub(super) apis_kib: Option<f64>,
    /// Of the worker, or of the one process.
    pub(super) workers_kib: f64,
    /// Of the largest process, in MiB, as it stood.
    pub(super) highest_mib: f64,
}

impl Peaks {
    pub(super) fn new(before: &Memory, peak: &Memory) -> Self {
        let apis: f64 = peak.0.iter().zip(&before.0).map(|(peak, before)| (peak - before).max(0.0)).sum();
        let highest = peak.0.iter().copied().fold(peak.1, f64::max);
        Self {
            apis_kib: (peak.1 > 0.0).then_some(apis),
            workers_kib: if peak.1 > 0.0 { (peak.1 - before.1).max(0.0) } else { apis },
            highest_mib: highest / 1024.0,
        }
    }
}

impl Fleet {
    /// Starts them with this model and waits until each is ready.
    pub(super) async fn start(settings: &Settings, model: &str, apis: usize) -> Outcome<Self> {
        let shared = matches!(settings.database.url, DatabaseUrl::Postgres(_))
            && settings.redis.url != RedisUrl::Memory;
        let start = |role| Process::start(role, model, &settings.data_dir);
        if !shared {
            return Ok(Self { apis: vec![start("up").await?], worker: None });
        }
        let worker = Some(start("worker").await?);
        let mut started = Vec::with_capacity(apis);
        for _ in 0..apis {
            started.push(start("api").await?);
        }
        Ok(Self { apis: started, worker })
    }

    /// Where the interfaces are.
    pub(super) fn urls(&self) -> Vec<String> {
        self.apis.iter().map(|process| process.url.clone()).collect()
    }

    /// What each takes now.
    pub(super) fn memory(&self) -> Memory {
        (
            self.apis.iter().map(Process::resident).collect(),
            self.worker.as_ref().map_or(0.0, Process::resident),
        )
    }

    /// The most that each takes until it is told that everything is done.
    pub(super) async fn watch(&self, done: Arc<AtomicBool>) -> Memory {
        let mut peak = self.memory();
        while !done.load(Ordering::Acquire) {
            sleep(LOOK_EVERY).await;
            let now = self.memory();
            for (peak, now) in peak.0.iter_mut().zip(now.0) {
                *peak = peak.max(now);
            }
            peak.1 = peak.1.max(now.1);
        }
        peak
    }

    /// Asks them to end, and waits.
    pub(super) async fn stop(self) {
        for process in self.apis.into_iter().chain(self.worker) {
            process.stop().await;
        }
    }
}

impl Process {
    async fn start(role: &str, model: &str, folder: &Path) -> Outcome<Self> {
        let failed = |error: std::io::Error| Failure::new(format!("chat {role} cannot be started: {error}"));
        let overrides = [
            ("PORT", "0"),
            ("PROMETHEUS_PORT", "0"),
            ("HOST", "127.0.0.1"),
            ("LOG_FORMAT", "json"),
            ("LOG_FILE", "off"),
            ("LOG_LEVEL", "info"), // the line that says that it is ready
            ("OPENAI_BASE_URL", model),
            ("LLM_MODEL", "bench"),
            ("EMBEDDING_MODEL", "offline"),
        ];
        let mut child = Command::new(std::env::current_exe().map_err(failed)?)
            .arg(role)
            .arg("--data")
            .arg(folder)
            .envs(overrides)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let output = child.stdout.take().ok_or_else(|| Failure::new("a process has no output"))?;
        let mut lines = BufReader::new(output).lines();
        let url = timeout(PATIENCE, ready(&mut lines)).await.ok().flatten();
        let url = url.ok_or_else(|| Failure::new(format!("chat {role} did not become ready")))?;
        // Its log must go somewhere, or it would be held up.
        #[expect(clippy::disallowed_methods, reason = "ends with the process whose log it reads")]
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, url })
    }

    /// In KiB; 0 where the system does not say.
    fn resident(&self) -> f64 {
        let status = self.child.id().map(|id| format!("/proc/{id}/status"));
        let status = status.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        resident_kib(&status)
    }

    async fn stop(mut self) {
        if let Some(id) = self.child.id() {
            Command::new("kill").args(["-s", "TERM", &id.to_string()]).status().await.ok();
        }
        if timeout(PATIENCE, self.child.wait()).await.is_err() {
            self.child.kill().await.ok();
        }
    }
}

/// The line that says that a process is ready; empty for one without an interface.
async fn ready(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<String> {
    while let Ok(Some(line)) = lines.next_line().await {
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        if line["message"] == "ready" {
            return Some(line["url"].as_str().unwrap_or_default().to_owned());
        }
    }
    None
}
