//! A store in a folder of its own, and workers on it.

use chat_core::{
    Change, Job, JobId, NewJob, Write,
    ports::{JobStore, Ports, Store},
};
use chat_embedded::{
    EmbeddedIndex, FileBlobs, MemoryBus, MemoryCache, MemoryLanes, MemoryLimiter, SqliteOptions, SqliteStore,
    SystemClock,
};
use chat_jobs::{Options, Registry};
use chat_offline::{OfflineEmbedder, OfflineLlm};
use chat_parse::MediaParser;
use chat_worker::{Engine, Worker, WorkerOptions};
use std::{path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;

pub struct Rig {
    _folder: TempDir,
    pub store: Arc<SqliteStore>,
    ports: Ports,
}

impl Rig {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, ports) = ports(folder.path()).await;
        Self { _folder: folder, store, ports }
    }

    pub async fn enqueue(&self, job: NewJob) -> JobId {
        let id = job.id;
        self.store.commit(Write::of(vec![Change::Enqueue(Box::new(job))])).await.unwrap();
        id
    }

    /// A worker that runs these kinds.
    pub async fn worker(&self, registry: Registry) -> Worker {
        self.worker_with(registry, WorkerOptions::default()).await
    }

    /// The same, with other limits.
    pub async fn worker_with(&self, registry: Registry, options: WorkerOptions) -> Worker {
        let work = Arc::new(Options::default());
        Worker::start(Engine::new(self.ports.clone(), registry, Vec::new(), work, options)).await
    }

    /// The job, once it has ended.
    pub async fn ended(&self, id: JobId) -> Job {
        let look = async {
            loop {
                let job = self.store.job(None, id).await.unwrap();
                if job.state.is_final() {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), look).await.expect("it does not end")
    }
}

async fn ports(folder: &Path) -> (Arc<SqliteStore>, Ports) {
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
        parser: Arc::new(MediaParser::default()),
        clock: Arc::new(SystemClock),
    };
    (store, ports)
}
