//! Every write that the system can make. Handlers and endpoints return these as values; a store commits them.

use crate::{
    ApiKey, Chunk, Collection, CollectionId, DocumentId, DocumentStatus, ErrorKind, Event, Failure, Held,
    JobFilter, JobId, KeyId, Lane, Message, NewJob, NewVersion, Outcome, PortError, Reference, ResponseEnd,
    ResponseId, Session, SessionId, StreamId, Tenant, Timestamp, TurnOptions, UsageEntry, VersionId,
    WorkerId,
};
use serde_json::{Map, Value};

/// What becomes of unfinished jobs when another one wants their concurrency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// If there are any, nothing is written: `Conflict`.
    Refuse,
    /// They are asked to stop.
    Cancel,
}

impl Busy {
    /// Why nothing is written while this job is under way.
    pub fn refusal(job: JobId) -> PortError {
        PortError::new(ErrorKind::Conflict, format!("{job} has not ended: another one would have to wait"))
    }
}

/// One write.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Enqueues a job; a unique key that is taken makes it a no-op that names the job which has it.
    Enqueue(Box<NewJob>),
    /// Asks to stop the unfinished jobs among these.
    CancelJobs(JobFilter, Vec<JobId>),
    /// Runs dead or cancelled jobs again, from their first attempt. Naming no id means all that match.
    RetryJobs(JobFilter, Vec<JobId>),
    /// Removes the ended jobs that match. Naming no id means all of them.
    DeleteJobs(JobFilter, Vec<JobId>),
    /// Before a job is enqueued under a concurrency key: what becomes of a tenant's unfinished jobs under it. Until the
    /// write is done, nobody else enqueues under this key.
    ClearKey {
        /// The owner.
        tenant: Tenant,
        /// The concurrency key.
        key: String,
        /// What becomes of them.
        busy: Busy,
    },
    /// How far a run is.
    JobProgress(JobId, Value),
    /// Hands out nothing more of a lane, anywhere, until it is resumed. What runs goes on; jobs that somebody asked to
    /// stop are still ended.
    PauseLane(Lane),
    /// Hands out the jobs of a lane again.
    ResumeLane(Lane),

    /// Begins a conversation.
    InsertSession(Box<Session>),
    /// Changes what is `Some`.
    UpdateSession {
        /// The owner.
        tenant: Tenant,
        /// Which.
        id: SessionId,
        /// A new title, or none.
        title: Option<Option<String>>,
        /// New collections.
        collections: Option<Vec<CollectionId>>,
        /// New instructions, or none.
        instructions: Option<Option<String>>,
        /// New data.
        metadata: Option<Value>,
    },
    /// Removes a conversation and all that was said, and leaves to the readers of each turn that is open what they hear
    /// last. `Conflict` if other turns are open than these, or one has said more meanwhile.
    DeleteSession(Tenant, SessionId, Vec<Farewell>),
    /// Adds a message.
    InsertMessage(Box<Message>),
    /// Accepts a turn.
    InsertResponse(Box<NewResponse>),
    /// Keeps the passages that an attempt retrieved, until they expire.
    SaveContexts {
        /// The answer that uses them.
        response: ResponseId,
        /// The passages with their relevance.
        passages: Vec<Reference>,
        /// When they may be forgotten.
        expires_at: Timestamp,
    },
    /// Ends a turn: the answer, what it cites, what it cost.
    EndResponse(ResponseId, Box<ResponseEnd>),
    /// Keeps what older turns were about, up to and including a message.
    SaveSummary {
        /// The conversation.
        session: SessionId,
        /// The last message that the summary covers.
        until: crate::MessageId,
        /// The summary.
        text: String,
    },

    /// Makes a collection.
    InsertCollection(Box<Collection>),
    /// Changes what is `Some`.
    UpdateCollection {
        /// The owner.
        tenant: Tenant,
        /// Which.
        id: CollectionId,
        /// A new name.
        name: Option<String>,
        /// New data.
        metadata: Option<Value>,
    },
    /// Hides a collection and all in it at once; a job removes the rest.
    HideCollection(Tenant, CollectionId),
    /// Removes an empty, hidden collection.
    PurgeCollection(CollectionId),
    /// Adds a document with its first version.
    InsertDocument {
        /// The document.
        id: DocumentId,
        /// Where it goes.
        collection: CollectionId,
        /// The caller's own data.
        metadata: Value,
        /// The first version.
        version: Box<NewVersion>,
    },
    /// Stages another version while the live one answers. `Conflict` if it follows one that is not the newest any more.
    InsertVersion(Box<NewVersion>),
    /// A version's stage and how much of it is done; told to its stream.
    VersionStage {
        /// The version.
        version: VersionId,
        /// The stage.
        stage: DocumentStatus,
        /// Units done.
        done: u64,
        /// Units in all.
        total: u64,
    },
    /// What parsing found out.
    VersionParsed {
        /// The version.
        version: VersionId,
        /// The character set.
        charset: String,
        /// The media type.
        media_type: String,
        /// Where the text is.
        text_blob: String,
    },
    /// Adds passages to a version that is not live.
    InsertChunks {
        /// The version.
        version: VersionId,
        /// The passages; those that are there already stay.
        chunks: Vec<Chunk>,
    },
    /// Passages `from..to` have their vectors; told to the version's stream with the total so far.
    ChunksEmbedded {
        /// The version.
        version: VersionId,
        /// The first ordinal.
        from: u32,
        /// The last ordinal, exclusive.
        to: u32,
    },
    /// The index has all passages of a version under these models. `Conflict` if models are recorded and none of these
    /// is live or being built: then another has become live meanwhile.
    VersionIndexed {
        /// The version.
        version: VersionId,
        /// The models; one that is not wanted any more is passed over.
        models: Vec<String>,
    },
    /// Makes a model the live one: the first at once, any other is recorded as being built. Another that was being
    /// built is given up. `Conflict` while its own old vectors are being removed.
    BuildModel {
        /// The model.
        name: String,
        /// How long its vectors are asked to be.
        dimensions: Option<u32>,
    },
    /// Makes the model that is being built the live one, if every version that answers is indexed under it; otherwise
    /// nothing changes. Vectors of the one before are to be removed.
    SwitchModel(String),
    /// Forgets a model whose vectors were removed.
    ForgetModel(String),
    /// Puts a version in the place of the one that answers.
    FlipVersion(VersionId),
    /// Ends a version that will never answer.
    EndVersion {
        /// The version.
        version: VersionId,
        /// Failed or cancelled.
        status: DocumentStatus,
        /// Why.
        error: Option<Failure>,
    },
    /// Removes a version's passages and its row, unless it is live.
    RemoveVersion(VersionId),
    /// Makes a document unfindable at once; a job removes the rest.
    HideDocument(Tenant, DocumentId),
    /// Removes what is left of a hidden document.
    PurgeDocument(DocumentId),

    /// Adds numbered events to a stream.
    AppendEvents(StreamId, Vec<Event>),
    /// Remembers what an idempotent request was answered.
    KeepAnswer(Box<KeptAnswer>),
    /// Notes what models took for a job, once.
    RecordUsage(Box<UsageEntry>),

    /// Adds a key.
    InsertKey(Box<ApiKey>),
    /// Ends a key, of this tenant or of any; one that has ended stays as it is. `NotFound` if there is none.
    RevokeKey(Option<Tenant>, KeyId),
}

/// A turn that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct NewResponse {
    /// Its id.
    pub id: ResponseId,
    /// Its owner.
    pub tenant: Tenant,
    /// The conversation.
    pub session: SessionId,
    /// The message that it answers.
    pub message: crate::MessageId,
    /// The job that does it.
    pub job: JobId,
    /// The model to ask.
    pub model: String,
    /// What the caller chose.
    pub options: TurnOptions,
    /// When it was accepted.
    pub created_at: Timestamp,
}

/// What the readers of an open turn hear last when its conversation is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farewell {
    /// The turn's response.
    pub response: ResponseId,
    /// The last number in its log: what the events follow.
    pub said: u64,
    /// The last of them is the terminal one.
    pub events: Vec<Event>,
}

impl Farewell {
    /// Whether these are the turns that are open, each with what it has said so far.
    pub fn check(farewells: &[Self], mut open: Vec<(ResponseId, u64)>) -> Result<(), PortError> {
        let mut known: Vec<_> = farewells.iter().map(|one| (one.response, one.said)).collect();
        known.sort_unstable();
        open.sort_unstable();
        let changed = "the conversation's turns have gone on meanwhile";
        if known == open { Ok(()) } else { Err(PortError::new(ErrorKind::Conflict, changed)) }
    }
}

/// What a request with an `Idempotency-Key` was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Who asked.
    pub tenant: Tenant,
    /// The caller's key.
    pub key: String,
    /// SHA-256 of method, path and body, in hex.
    pub request: String,
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The response whose events were streamed instead of a body.
    pub stream: Option<ResponseId>,
    /// The `Location` header.
    pub location: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// Writes that take effect together or not at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Write {
    /// The claim that the writes belong to: if it is no longer the last one, nothing is written.
    pub held: Option<Held>,
    /// How that claim's run ends, if it does.
    pub outcome: Option<Outcome>,
    /// The writes, in order.
    pub changes: Vec<Change>,
}

impl Write {
    /// Writes that depend on no claim.
    pub fn of(changes: Vec<Change>) -> Self {
        Self { changes, ..Self::default() }
    }

    /// Writes during a run.
    pub fn under(held: Held, changes: Vec<Change>) -> Self {
        Self { held: Some(held), outcome: None, changes }
    }

    /// Writes at the end of a run.
    pub fn finish(held: Held, outcome: Outcome, changes: Vec<Change>) -> Self {
        Self { held: Some(held), outcome: Some(outcome), changes }
    }
}

/// What a commit did, and what is to be told to others now that it is durable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Committed {
    /// The jobs of `Enqueue`, in order: the new one, or the one that has its unique key already.
    pub jobs: Vec<JobId>,
    /// Jobs to be put into their lanes.
    pub ready: Vec<Ready>,
    /// Lanes with jobs that became ready without being handed out.
    pub backlog: Vec<Lane>,
    /// Events that the store numbered, to be published.
    pub events: Vec<(StreamId, Event)>,
    /// Running jobs that are to stop, and who runs them.
    pub cancel: Vec<(JobId, WorkerId)>,
    /// How many rows `CancelJobs`, `RetryJobs` and `DeleteJobs` touched.
    pub affected: u64,
    /// The earliest time that a job of this commit waits for.
    pub due: Option<Timestamp>,
}

/// A job that can go into its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// The job.
    pub job: JobId,
    /// Its lane.
    pub lane: Lane,
    /// Higher goes first.
    pub priority: i16,
}

/// A JSON object from pairs.
pub fn object<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

impl Committed {
    /// Notes that a lane has jobs which were not handed out.
    pub fn add_backlog(&mut self, lane: Lane) {
        if !self.backlog.contains(&lane) {
            self.backlog.push(lane);
        }
    }
}
