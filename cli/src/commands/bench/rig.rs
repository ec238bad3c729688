//! A fresh system for each run.

use crate::{
    failure::{Failure, Outcome},
    run::Context,
    server::{open, prepare},
    telemetry::Metrics,
};
use chat_adapters::Opened;
use chat_config::{DatabaseUrl, Settings, Storage};
use chat_core::PortError;
use chat_jobs::{Options, registry};
use chat_worker::{Engine, Worker, WorkerOptions};
use std::{path::PathBuf, sync::Arc};

use super::probe::Probe;

/// What every measurement needs.
pub(super) struct Rig {
    folder: PathBuf,
    settings: Settings,
    /// How often it is measured.
    pub(super) runs: u32,
    /// What an HTTP interface reports to.
    pub(super) metrics: Metrics,
}

impl Rig {
    /// A place for the runs inside the data folder.
    pub(super) fn new(context: &Context, runs: u32) -> Outcome<Self> {
        let folder = context.settings.data_dir.join(format!("bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::new(format!("{} cannot be made: {error}", folder.display())))?;
        Ok(Self {
            folder,
            settings: context.settings.clone(),
            runs,
            metrics: context.telemetry.metrics.clone(),
        })
    }

    /// The configured settings, with embedded parts in a folder of their own.
    pub(super) fn settings(&self, run: u32) -> Settings {
        let mut settings = self.settings.clone();
        let folder = self.folder.join(run.to_string());
        settings.database.url = match settings.database.url {
            DatabaseUrl::Sqlite { .. } => DatabaseUrl::Sqlite { path: folder.join("chat.db") },
            url @ DatabaseUrl::Postgres(_) => url,
        };
        settings.storage = match settings.storage {
            Storage::File { .. } => Storage::File { path: folder.join("files") },
            storage @ Storage::S3(_) => storage,
        };
        settings.data_dir = folder;
        settings
    }

    /// Opens every port.
    pub(super) async fn open(&self, run: u32) -> Outcome<Opened> {
        let settings = self.settings(run);
        prepare(&settings).await?;
        open(&settings).await
    }

    /// A worker that also knows the probe.
    pub(super) async fn worker(&self, opened: &Opened) -> Worker {
        let registry = registry().with::<Probe>();
        let options = Arc::new(Options::default());
        Worker::start(Engine::new(
            opened.ports.clone(),
            registry,
            Vec::new(),
            options,
            WorkerOptions::default(),
        ))
        .await
    }

    /// Removes what the runs left.
    pub(super) fn clear(&self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// A port's error as the command line shows it.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
pub(super) fn failed(error: PortError) -> Failure {
    Failure::new(error.to_string())
}

/// Resident memory of this process, in MiB; 0 where the system does not say.
pub(super) fn resident_mib() -> f64 {
    resident_kib(&std::fs::read_to_string("/proc/self/status").unwrap_or_default()) / 1024.0
}

/// What a process's `/proc/PID/status` says of its resident memory, in KiB; 0 if it says nothing.
pub(super) fn resident_kib(status: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0.0)
}
