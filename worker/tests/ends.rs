//! Jobs whose end the store will never take.
#![allow(clippy::unwrap_used)]

use async_trait::async_trait;
use chat_core::{
    Change, Job, JobId, JobState, Lane, Message, MessageId, PortResult, RetryPolicy, Role, SessionId, Tenant,
    Timestamp, Write,
    ports::{JobStore, Ports, Store},
};
use chat_embedded::{
    EmbeddedIndex, FileBlobs, MemoryBus, MemoryCache, MemoryLanes, MemoryLimiter, SqliteOptions, SqliteStore,
    SystemClock,
};
use chat_jobs::{Done, Ending, JobContext, JobError, JobKind, Options, Registry};
use chat_offline::{OfflineEmbedder, OfflineLlm};
use chat_parse::MediaParser;
use chat_worker::{Engine, Worker, WorkerOptions};
use serde::{Deserialize, Serialize};
use std::{path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;

/// A write that no store takes: a question in a conversation that is not there.
fn impossible() -> Change {
    Change::InsertMessage(Box::new(Message {
        id: MessageId::new(),
        session: SessionId::new(),
        tenant: Tenant::default(),
        role: Role::User,
        content: "你好".into(),
        response: None,
        references: Vec::new(),
        created_at: Timestamp(0),
    }))
}

/// Ends with what cannot be written.
#[derive(Serialize, Deserialize)]
struct Refused {
    /// Its bad end cannot be written, either.
    twice: bool,
}

#[async_trait]
impl JobKind for Refused {
    const KIND: &'static str = "refused.v1";
    const LANE: Lane = Lane::Default;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 3, base: Duration::from_millis(1), cap: Duration::from_millis(1) };
    const TIMEOUT: Duration = Duration::from_secs(10);

    async fn run(&self, _cx: &JobContext) -> Result<Done, JobError> {
        Ok(Done::with(vec![impossible()]))
    }

    async fn end(&self, cx: &JobContext, ending: &Ending) -> PortResult<Done> {
        assert!(matches!(ending, Ending::Dead(failure) if failure.code == "not_found"));
        let told = Change::JobProgress(cx.claim.job, "its end was written".into());
        Ok(Done::with(if self.twice { vec![impossible()] } else { vec![told] }))
    }
}

/// A store in a folder of its own, and a worker.
struct Rig {
    _folder: TempDir,
    store: Arc<SqliteStore>,
    ports: Ports,
}

impl Rig {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, ports) = ports(folder.path()).await;
        Self { _folder: folder, store, ports }
    }

    /// Runs a job until it has ended.
    async fn run(&self, kind: Refused) -> Job {
        let job = kind.job(&Tenant::default());
        let id = job.id;
        self.store.commit(Write::of(vec![Change::Enqueue(Box::new(job))])).await.unwrap();
        let registry = Registry::default().with::<Refused>();
        let (work, options) = (Arc::new(Options::default()), WorkerOptions::default());
        let worker =
            Worker::start(Engine::new(self.ports.clone(), registry, Vec::new(), work, options)).await;
        let ended = self.ended(id).await;
        worker.drain(Duration::from_secs(5)).await;
        ended
    }

    async fn ended(&self, id: JobId) -> Job {
        let look = async {
            loop {
                let job = self.store.job(None, id).await.unwrap();
                if job.state.is_final() {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), look).await.expect("it counts as running for ever")
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

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_refused_for_good_is_a_failed_attempt() {
    let job = Rig::new().await.run(Refused { twice: false }).await;
    assert_eq!(job.state, JobState::Dead);
    assert_eq!(job.errors.iter().map(|error| &*error.kind).collect::<Vec<_>>(), ["not_found"]);
    assert_eq!(job.progress, Some("its end was written".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_bad_end_is_refused_as_well_ends_all_the_same() {
    let job = Rig::new().await.run(Refused { twice: true }).await;
    assert_eq!((job.state, job.errors.len(), job.progress), (JobState::Dead, 1, None));
}
