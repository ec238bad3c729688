use chat_core::{
    Change, Chunk, Claim, CollectionId, Committed, DocumentId, DocumentStatus, EmbeddingModel,
    EmbeddingModels, ErrorKind, Event, Failure, Fence, Job, JobFilter, JobId, JobState, Message, ModelState,
    NewJob, Outcome, PortError, PortResult, Reference, Response, ResponseId, Session, SessionId, StreamId,
    Timestamp, UsageEntry, Version, VersionId, Write,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

/// The rows, as far as handlers read and write them.
#[derive(Default)]
pub struct Rows {
    pub sessions: BTreeMap<SessionId, Session>,
    pub messages: Vec<Message>,
    pub summary: Option<(chat_core::MessageId, String)>,
    pub responses: BTreeMap<ResponseId, Response>,
    pub contexts: BTreeMap<ResponseId, (Vec<Reference>, Timestamp)>,
    pub versions: BTreeMap<VersionId, Version>,
    pub chunks: BTreeMap<VersionId, BTreeMap<u32, Chunk>>,
    pub metadata: BTreeMap<DocumentId, Value>,
    pub hidden_collections: BTreeSet<CollectionId>,
    pub errors: BTreeMap<VersionId, Failure>,
    pub stages: Vec<(DocumentStatus, u64, u64)>,
    pub events: BTreeMap<StreamId, BTreeMap<u64, Event>>,
    pub jobs: BTreeMap<JobId, (NewJob, Job, Option<Fence>, u32)>,
    pub revision: u64,
    pub commits: usize,
    /// How long a commit takes, in steps of the scheduler.
    pub slow: usize,
    /// What the next commits answer instead of writing.
    pub refuse: Vec<ErrorKind>,
    pub upkeep_left: u64,
    pub models: EmbeddingModels,
    /// Which versions are indexed under which models.
    pub indexed: BTreeSet<(VersionId, String)>,
    pub usage: BTreeMap<JobId, UsageEntry>,
}

/// A store in memory.
#[derive(Default)]
pub struct FakeStore(pub Mutex<Rows>);

impl FakeStore {
    /// Looks at the rows, or prepares them.
    pub fn rows<T>(&self, look: impl FnOnce(&mut Rows) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    /// Writes all or nothing.
    pub fn write(&self, write: Write) -> PortResult<Committed> {
        self.rows(|rows| rows.write(write))
    }
}

impl Rows {
    fn write(&mut self, write: Write) -> PortResult<Committed> {
        self.commits += 1;
        if !self.refuse.is_empty() {
            return Err(PortError::new(self.refuse.remove(0), "the store refuses"));
        }
        if let Some(held) = write.held {
            let holds = self.jobs.get(&held.job).is_some_and(|(_, _, fence, _)| *fence == Some(held.fence));
            if !holds {
                return Err(PortError::new(ErrorKind::Stale, "the claim is lost"));
            }
        }
        let mut committed = Committed::default();
        if let (Some(held), Some(outcome)) = (write.held, write.outcome) {
            self.finish(held.job, outcome);
        }
        for change in write.changes {
            self.apply(change, &mut committed);
        }
        Ok(committed)
    }

    fn apply(&mut self, change: Change, committed: &mut Committed) {
        match change {
            Change::Enqueue(job) => committed.jobs.push(self.enqueue(*job)),
            Change::CancelJobs(filter, ids) => committed.affected += self.cancel(&filter, &ids),
            Change::JobProgress(id, progress) => self.jobs.get_mut(&id).unwrap().1.progress = Some(progress),
            Change::InsertMessage(message) => self.messages.push(*message),
            Change::SaveContexts { response, passages, expires_at } => {
                self.contexts.insert(response, (passages, expires_at));
            }
            Change::EndResponse(id, end) => {
                let response = self.responses.get_mut(&id).unwrap();
                response.status = end.status;
                response.attempt = end.attempt;
                response.output_text = end.output_text;
                response.references = end.references;
                response.usage = end.usage;
                response.timings = end.timings;
                response.error = end.error;
                response.completed_at = Some(end.completed_at);
            }
            Change::RecordUsage(entry) => {
                self.usage.entry(entry.job).or_insert(*entry);
            }
            Change::SaveSummary { until, text, .. } => self.summary = Some((until, text)),
            Change::AppendEvents(stream, events) => {
                let log = self.events.entry(stream).or_default();
                for event in events {
                    let there = log.insert(event.seq, event.clone());
                    assert!(
                        there.is_none_or(|other| other == event),
                        "one number with two contents: {event:?}"
                    );
                }
            }
            other => self.apply_to_documents(other),
        }
    }

    fn apply_to_documents(&mut self, change: Change) {
        match change {
            Change::VersionStage { version, stage, done, total } => {
                self.stages.push((stage, done, total));
                if let Some(version) = self.versions.get_mut(&version) {
                    version.status = stage;
                }
            }
            Change::InsertVersion(new) => {
                assert!(self.versions.values().all(|it| it.document != new.document || it.id < new.id));
                let before = self.versions[&new.follows.unwrap()].clone();
                let status = DocumentStatus::Queued;
                let (id, upload) = (new.id, new.upload);
                let version = Version { id, upload, status, chunk_count: 0, embedded: 0, ..before };
                self.versions.insert(id, version);
            }
            Change::InsertChunks { version, chunks } => {
                let Some(row) = self.versions.get_mut(&version) else { return };
                let there = self.chunks.entry(version).or_default();
                for chunk in chunks {
                    there.entry(chunk.ordinal).or_insert(chunk);
                }
                row.chunk_count = there.len() as u64;
            }
            Change::ChunksEmbedded { version, from, to } => {
                self.versions.get_mut(&version).unwrap().embedded += u64::from(to - from);
            }
            Change::FlipVersion(id) => {
                let document = self.versions[&id].document;
                for version in self.versions.values_mut().filter(|version| version.document == document) {
                    version.live_version = Some(id);
                }
                self.versions.get_mut(&id).unwrap().status = DocumentStatus::Ready;
                self.revision += 1;
            }
            Change::EndVersion { version, status, error } => {
                self.versions.get_mut(&version).unwrap().status = status;
                self.errors.extend(error.map(|error| (version, error)));
            }
            Change::RemoveVersion(id) => {
                self.versions.remove(&id);
                self.chunks.remove(&id);
            }
            Change::PurgeDocument(id) => {
                let gone: Vec<_> =
                    self.versions.values().filter(|v| v.document == id).map(|v| v.id).collect();
                for version in gone {
                    self.apply_to_documents(Change::RemoveVersion(version));
                }
            }
            Change::PurgeCollection(id) => {
                self.hidden_collections.remove(&id);
            }
            Change::VersionParsed { .. } => {}
            Change::VersionIndexed { version, models } => {
                let wanted = models.into_iter().filter(|name| self.models.wants(name));
                self.indexed.extend(wanted.map(|name| (version, name)));
            }
            Change::BuildModel { name, dimensions } => {
                for (name, state) in self.models.toward(&name).unwrap() {
                    self.set_model(EmbeddingModel { name, dimensions, state });
                }
            }
            Change::SwitchModel(name) => self.switch(&name),
            Change::ForgetModel(name) => self.models.0.retain(|model| model.name != name),
            other => panic!("the fake store does not know {other:?}"),
        }
    }

    /// The versions that answer.
    pub fn live(&self) -> impl Iterator<Item = VersionId> {
        self.versions.values().filter(|it| !it.deleted && it.live_version == Some(it.id)).map(|it| it.id)
    }

    fn set_model(&mut self, model: EmbeddingModel) {
        if model.state == ModelState::Dropping {
            self.indexed.retain(|(_, name)| *name != model.name);
        }
        self.models.0.retain(|known| known.name != model.name);
        self.models.0.push(model);
    }

    fn switch(&mut self, name: &str) {
        let done = self.live().all(|id| self.indexed.contains(&(id, name.to_owned())));
        let Some(next) = self.models.building().filter(|model| done && model.name == name).cloned() else {
            return;
        };
        if let Some(before) = self.models.live().cloned() {
            self.set_model(EmbeddingModel { state: ModelState::Dropping, ..before });
        }
        self.set_model(EmbeddingModel { state: ModelState::Live, ..next });
    }

    /// Hides a document, as the API does.
    pub fn hide(&mut self, document: DocumentId) {
        for version in self.versions.values_mut().filter(|version| version.document == document) {
            version.deleted = true;
        }
        self.revision += 1;
    }

    fn enqueue(&mut self, new: NewJob) -> JobId {
        let taken = self.jobs.values().find(|(known, job, _, _)| {
            new.unique.is_some() && known.unique == new.unique && !job.state.is_final()
        });
        if let Some((known, ..)) = taken {
            return known.id;
        }
        let state = if new.pending_children > 0 { JobState::Waiting } else { JobState::Available };
        let job = Job {
            id: new.id,
            kind: new.kind.to_string(),
            lane: new.lane,
            tenant: new.tenant.clone(),
            priority: new.priority,
            state,
            attempt: 0,
            max_attempts: new.max_attempts.into(),
            payload: serde_json::from_str(&new.payload).unwrap(),
            run_at: Timestamp(0),
            waiting_for: None,
            worker: None,
            progress: None,
            result: None,
            errors: Vec::new(),
            parent: new.parent,
            cancel_requested: false,
            session: new.session,
            document: new.document,
            trace: new.trace,
            created_at: Timestamp(0),
            started_at: None,
            finished_at: None,
        };
        let id = new.id;
        self.jobs.insert(id, (new, job, None, 0));
        id
    }

    fn cancel(&mut self, filter: &JobFilter, ids: &[JobId]) -> u64 {
        let mut affected = 0;
        for (_, job, _, _) in self.jobs.values_mut() {
            let named = ids.is_empty() || ids.contains(&job.id);
            if named && !job.state.is_final() && matches(filter, job) {
                job.cancel_requested = true;
                affected += 1;
            }
        }
        affected
    }

    /// Claims a job, whoever had it.
    pub fn claim(&mut self, id: JobId) -> Claim {
        let (new, job, fence, failed) = self.jobs.get_mut(&id).unwrap();
        let fresh = Fence::new();
        *fence = Some(fresh);
        job.attempt += 1;
        job.state = JobState::Running;
        Claim {
            job: id,
            fence: fresh,
            kind: job.kind.clone(),
            lane: job.lane,
            tenant: job.tenant.clone(),
            payload: new.payload.clone(),
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            cancel_requested: job.cancel_requested,
            failed_children: *failed,
            trace: new.trace,
            created_at: job.created_at,
            run_at: job.run_at,
            claimed_at: Timestamp(1_700_000_000_000),
        }
    }

    fn finish(&mut self, id: JobId, outcome: Outcome) {
        let (_, job, fence, _) = self.jobs.get_mut(&id).unwrap();
        *fence = None;
        let parent = job.parent;
        job.state = match outcome {
            Outcome::Succeeded { result } => {
                job.result = result;
                JobState::Succeeded
            }
            Outcome::Retry { error, .. } => {
                job.errors.push(error);
                JobState::Available
            }
            Outcome::Dead { error } => {
                job.errors.push(error);
                JobState::Dead
            }
            Outcome::Cancelled => JobState::Cancelled,
            Outcome::Deferred { error: Some(error), .. } => {
                job.errors.push(error);
                job.max_attempts += 1;
                JobState::Available
            }
            Outcome::HandedBack | Outcome::Deferred { error: None, .. } => {
                job.attempt -= 1;
                JobState::Available
            }
        };
        let (ended, well) = (job.state.is_final(), job.state == JobState::Succeeded);
        if let Some((new, parent, _, failed)) = parent.filter(|_| ended).and_then(|id| self.jobs.get_mut(&id))
        {
            new.pending_children -= 1;
            *failed += u32::from(!well);
            if new.pending_children == 0 {
                parent.state = JobState::Available;
            }
        }
    }
}

/// Whether a filter means a job.
pub fn matches(filter: &JobFilter, job: &Job) -> bool {
    filter.tenant.as_ref().is_none_or(|tenant| *tenant == job.tenant)
        && (filter.states.is_empty() || filter.states.contains(&job.state))
        && filter.kind.as_ref().is_none_or(|kind| *kind == job.kind)
        && filter.lane.is_none_or(|lane| lane == job.lane)
        && (filter.session.is_none() || filter.session == job.session)
        && (filter.document.is_none() || filter.document == job.document)
}
