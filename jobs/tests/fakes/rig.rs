use super::{
    FakeBlobs, FakeBus, FakeCache, FakeClock, FakeEmbedder, FakeIndex, FakeLanes, FakeLimiter, FakeLlm,
    FakeParser, FakeStore,
};
use chat_core::{
    AttemptError, Change, Claim, CollectionId, DocumentId, DocumentStatus, Event, Failure, JobId, JobState,
    Message, MessageId, NewJob, Outcome, PortError, Response, ResponseId, ResponseStatus, Role, Session,
    SessionId, Tenant, Timings, TurnOptions, Upload, Version, VersionId, Write,
    ports::{Clock, Ports},
};
use chat_jobs::{AnswerTurn, Done, Ending, IngestDocument, JobContext, JobError, JobKind, Options, registry};
use serde_json::Value;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// All fakes, and what an engine does with a job.
pub struct Rig {
    pub store: Arc<FakeStore>,
    pub bus: FakeBus,
    pub cache: Arc<FakeCache>,
    pub blobs: Arc<FakeBlobs>,
    pub index: Arc<FakeIndex>,
    pub llm: Arc<FakeLlm>,
    pub embedder: Arc<FakeEmbedder>,
    pub clock: Arc<FakeClock>,
    pub options: Options,
    pub tenant: Tenant,
}

impl Rig {
    pub fn new() -> Self {
        let clock = Arc::new(FakeClock::default());
        Self {
            store: Arc::default(),
            bus: FakeBus::default(),
            cache: Arc::default(),
            blobs: Arc::default(),
            index: Arc::default(),
            llm: Arc::new(FakeLlm::new(clock.clone())),
            embedder: Arc::default(),
            clock,
            options: Options::default(),
            tenant: Tenant::from("acme"),
        }
    }

    pub fn ports(&self) -> Ports {
        Ports {
            store: self.store.clone(),
            lanes: Arc::new(FakeLanes),
            bus: Arc::new(self.bus.clone()),
            cache: self.cache.clone(),
            limiter: Arc::new(FakeLimiter),
            blobs: self.blobs.clone(),
            index: self.index.clone(),
            llm: self.llm.clone(),
            embedder: self.embedder.clone(),
            parser: Arc::new(FakeParser),
            clock: self.clock.clone(),
        }
    }

    pub fn context(&self, claim: Claim) -> JobContext {
        JobContext::new(self.ports(), Arc::new(self.options.clone()), claim, CancellationToken::new())
    }

    /// Enqueues a job and claims it.
    pub fn claim_new(&self, job: NewJob) -> JobContext {
        let id = job.id;
        self.store.write(Write::of(vec![Change::Enqueue(Box::new(job))])).unwrap();
        self.claim(id)
    }

    /// Claims a job, as a worker would after its last one was lost.
    pub fn claim(&self, id: JobId) -> JobContext {
        self.context(self.store.rows(|rows| rows.claim(id)))
    }

    /// Begins a conversation.
    pub fn session(&self) -> SessionId {
        let id = SessionId::new();
        let session = Session {
            id,
            tenant: self.tenant.clone(),
            title: None,
            collections: Vec::new(),
            instructions: None,
            metadata: Value::Null,
            created_at: self.clock.now(),
            updated_at: self.clock.now(),
            revision: uuid::Uuid::nil(),
        };
        self.store.rows(|rows| rows.sessions.insert(id, session));
        id
    }

    /// What the API does when a message is posted: returns the response and its job.
    pub fn ask(&self, session: SessionId, question: &str) -> (ResponseId, JobId) {
        let (response, message) = (ResponseId::new(), MessageId::new());
        let job = AnswerTurn { response, key: None }.job(&self.tenant);
        let row = Response {
            id: response,
            tenant: self.tenant.clone(),
            session,
            message,
            job: job.id,
            status: ResponseStatus::Queued,
            attempt: 0,
            model: "fake".into(),
            options: TurnOptions::default(),
            output_text: String::new(),
            references: Vec::new(),
            usage: None,
            timings: Timings::default(),
            error: None,
            created_at: self.clock.now(),
            completed_at: None,
        };
        let question = Message {
            id: message,
            session,
            tenant: self.tenant.clone(),
            role: Role::User,
            content: question.into(),
            response: Some(response),
            references: Vec::new(),
            created_at: self.clock.now(),
        };
        let head = [("response_id", response.to_string().into()), ("attempt", 0.into())];
        let queued = Event::new("response.queued", 1, &head, serde_json::Map::new());
        self.store.rows(|rows| {
            rows.responses.insert(response, row);
            rows.messages.push(question);
        });
        let id = job.id;
        let changes =
            vec![Change::AppendEvents(response.into(), vec![queued]), Change::Enqueue(Box::new(job))];
        self.store.write(Write::of(changes)).unwrap();
        (response, id)
    }

    /// Runs a claimed job and commits its end, as the engine does.
    pub async fn run(&self, cx: &JobContext) -> Result<(), JobError> {
        let registry = registry();
        let handler = registry.get(&cx.claim.kind).unwrap();
        let mut done = handler.run(cx).await?;
        let outcome = if done.cancelled {
            Outcome::Cancelled
        } else {
            Outcome::Succeeded { result: done.result.take() }
        };
        self.finish(cx, outcome, done).await;
        Ok(())
    }

    /// Ends a claimed job without success.
    pub async fn end(&self, cx: &JobContext, ending: Ending) {
        let done = registry().get(&cx.claim.kind).unwrap().end(cx, &ending).await.unwrap();
        let outcome = match ending {
            Ending::Dead(failure) => {
                Outcome::Dead { error: attempt_error(cx, &failure.code, &failure.message) }
            }
            Ending::Cancelled => Outcome::Cancelled,
        };
        self.finish(cx, outcome, done).await;
    }

    /// Records that an attempt failed and will be tried again.
    pub fn retry(&self, cx: &JobContext, cause: &PortError) {
        let error = attempt_error(cx, cause.kind.as_str(), &cause.message);
        let outcome = Outcome::Retry { after: std::time::Duration::ZERO, error };
        self.store.write(Write::finish(cx.claim.held(), outcome, Vec::new())).unwrap();
    }

    async fn finish(&self, cx: &JobContext, outcome: Outcome, done: Done) {
        self.store.write(Write::finish(cx.claim.held(), outcome, done.changes)).unwrap();
        for (stream, events) in done.publish {
            cx.ports.bus.publish(stream, Some(cx.claim.fence), &events).await;
        }
    }

    /// Runs whatever can run until nothing can, with the engine's rules; stops a run after `most` jobs.
    pub async fn drain(&self) {
        for _ in 0..1_000 {
            let next = self.store.rows(|rows| {
                rows.jobs.values().find(|row| row.1.state == JobState::Available).map(|row| row.1.id)
            });
            let Some(id) = next else { return };
            let cx = self.claim(id);
            if cx.claim.cancel_requested {
                self.end(&cx, Ending::Cancelled).await;
                continue;
            }
            if let Err(error) = self.run(&cx).await {
                let retries = !matches!(error, JobError::Fail(_)) && cx.claim.attempt < cx.claim.max_attempts;
                let cause = error.cause();
                if retries {
                    self.retry(&cx, cause);
                } else {
                    let failure =
                        Failure { code: cause.kind.as_str().into(), message: cause.message.clone() };
                    self.end(&cx, Ending::Dead(failure)).await;
                }
            }
        }
        panic!("the jobs do not come to an end");
    }

    /// Lets others run until something is so.
    pub async fn until(&self, so: impl Fn() -> bool) {
        for _ in 0..10_000 {
            if so() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("what was waited for did not happen");
    }

    /// The row of a response.
    pub fn response(&self, id: ResponseId) -> Response {
        self.store.rows(|rows| rows.responses[&id].clone())
    }

    /// The stored events of a response.
    pub fn log(&self, id: ResponseId) -> Vec<Event> {
        self.store.rows(|rows| rows.events[&id.into()].values().cloned().collect())
    }

    /// Uploads a version; returns it with its ingestion's job.
    pub fn upload(&self, document: DocumentId, collection: CollectionId, text: &str) -> (VersionId, JobId) {
        let id = VersionId::new();
        let blob = format!("uploads/{id}");
        self.blobs.insert(&blob, text.to_owned());
        let live = self.store.rows(|rows| {
            rows.versions
                .values()
                .find(|version| version.document == document)
                .and_then(|version| version.live_version)
        });
        let version = Version {
            id,
            document,
            collection,
            tenant: self.tenant.clone(),
            upload: Upload {
                filename: "notes.md".into(),
                media_type: "text/markdown".into(),
                charset: None,
                bytes: text.len() as u64,
                sha256: String::new(),
                blob,
            },
            status: DocumentStatus::Queued,
            chunk_count: 0,
            embedded: 0,
            live_version: live,
            deleted: false,
        };
        self.store.rows(|rows| rows.versions.insert(id, version));
        let mut job = IngestDocument { version: id }.job(&self.tenant);
        job.document = Some(document);
        let job_id = job.id;
        self.store.write(Write::of(vec![Change::Enqueue(Box::new(job))])).unwrap();
        (id, job_id)
    }

    /// A document of one passage that can be found.
    pub async fn know(&self, text: &str) -> DocumentId {
        let document = DocumentId::new();
        self.upload(document, CollectionId::new(), text);
        self.drain().await;
        document
    }
}

fn attempt_error(cx: &JobContext, kind: &str, message: &str) -> AttemptError {
    AttemptError { attempt: cx.claim.attempt, at: cx.now(), kind: kind.into(), message: message.into() }
}

/// The types of events.
pub fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| &*event.name).collect()
}

/// An event's JSON.
pub fn data(event: &Event) -> Value {
    serde_json::from_str(&event.data).unwrap_or(Value::Null)
}

/// The text that a reader has who follows the rules: pieces since the last restart.
pub fn text_of(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        match &*event.name {
            "response.restarted" => text.clear(),
            "response.output_text.delta" => text.push_str(data(event)["delta"].as_str().unwrap()),
            _ => {}
        }
    }
    text
}
