use super::Hit;
use crate::{
    ApiKey, Chunk, ChunkId, Claim, Collection, CollectionId, Committed, Document, DocumentId, DocumentStatus,
    EmbeddingModels, Event, Job, JobFilter, JobId, KeptAnswer, KeyId, Lane, LaneState, LaneStats, Message,
    MessageId, Page, PageRequest, Passage, PortResult, Response, ResponseId, Session, SessionId,
    SessionStamp, StreamId, Tenant, Timestamp, UsageQuery, UsageSum, Version, VersionId, WorkerId,
    WorkerState, Write,
};
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::time::Duration;

/// The job engine's side of the store.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Claims those of the jobs that can be claimed (available or handed, in a lane that is not paused), each with a
    /// fresh fence.
    async fn claim(&self, worker: WorkerId, ids: Vec<JobId>) -> PortResult<Vec<Claim>>;
    /// Claims the next jobs of a lane's backlog, in fair order: priority, then virtual time (what is put before others
    /// may be found a second later, while there are others). Of a paused lane only those that somebody asked to stop.
    /// Fewer than `limit`: there were no more that nobody else is about to claim.
    async fn claim_next(&self, worker: WorkerId, lane: Lane, limit: usize) -> PortResult<Vec<Claim>>;
    /// Makes due jobs available; says which lanes have a backlog now, and the next due time.
    async fn promote_due(&self) -> PortResult<(Vec<Lane>, Option<Timestamp>)>;
    /// Says that a worker lives, by the database's clock, and how many jobs of each lane it takes at once.
    async fn heartbeat(&self, worker: WorkerId, lanes: &[(Lane, usize)]) -> PortResult<()>;
    /// Forgets a worker that has stopped.
    async fn retire(&self, worker: WorkerId) -> PortResult<()>;
    /// Those of the running jobs that somebody asked to stop.
    async fn asked_to_stop(&self, running: Vec<JobId>) -> PortResult<Vec<JobId>>;
    /// Frees the jobs of workers unseen for `lease`, and what was handed out longer than `offer_again` ago.
    async fn reap(&self, lease: Duration, offer_again: Duration) -> PortResult<Reaped>;
    /// One job.
    async fn job(&self, tenant: Option<&Tenant>, id: JobId) -> PortResult<Job>;
    /// Jobs that match, without their results.
    async fn jobs(&self, filter: &JobFilter, page: PageRequest) -> PortResult<Page<Job>>;
    /// How many jobs there are, by lane, kind and state; unfinished ones only, or all.
    async fn lane_stats(&self, unfinished_only: bool) -> PortResult<Vec<LaneStats>>;
    /// Every lane: whether it is paused, and how many of its jobs ended within `window`.
    async fn lane_states(&self, window: Duration) -> PortResult<Vec<LaneState>>;
    /// The workers that were seen within `lease`, by their ids.
    async fn workers(&self, lease: Duration) -> PortResult<Vec<WorkerState>>;
    /// When a schedule's last tick was enqueued.
    async fn last_tick(&self, schedule: &str) -> PortResult<Option<Timestamp>>;
}

/// What the reaper found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reaped {
    /// How many jobs lost their worker.
    pub orphaned: u64,
    /// How many were offered and never claimed.
    pub unclaimed: u64,
    /// Lanes that have a backlog because of it.
    pub lanes: Vec<Lane>,
}

/// Conversations.
#[async_trait]
pub trait ChatStore: Send + Sync {
    /// One session.
    async fn session(&self, tenant: &Tenant, id: SessionId) -> PortResult<Session>;
    /// A tenant's sessions.
    async fn sessions(&self, tenant: &Tenant, page: PageRequest) -> PortResult<Page<Session>>;
    /// What a copy of a session is compared with.
    async fn session_stamp(&self, tenant: &Tenant, id: SessionId) -> PortResult<SessionStamp>;
    /// The same for a page of a tenant's sessions.
    async fn session_stamps(&self, tenant: &Tenant, page: PageRequest) -> PortResult<Page<SessionStamp>>;
    /// The messages of a session.
    async fn messages(
        &self,
        tenant: &Tenant,
        session: SessionId,
        page: PageRequest,
    ) -> PortResult<Page<Message>>;
    /// One message.
    async fn message(&self, tenant: &Tenant, id: MessageId) -> PortResult<Message>;
    /// What a turn is about, with at most `limit` messages of its conversation.
    async fn turn(&self, tenant: &Tenant, id: ResponseId, limit: u32) -> PortResult<TurnRows>;
    /// One response.
    async fn response(&self, tenant: &Tenant, id: ResponseId) -> PortResult<Response>;
    /// The unfinished responses of a session, oldest first.
    async fn open_responses(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> PortResult<Vec<(ResponseId, JobId)>>;
    /// What a request with this key was answered within the last 24 hours.
    async fn kept_answer(&self, tenant: &Tenant, key: &str) -> PortResult<Option<KeptAnswer>>;
}

/// What a turn is about.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnRows {
    /// The answer that is to be made, or was.
    pub response: Response,
    /// The conversation.
    pub session: Session,
    /// What the conversation's older messages were about, and the last message that it covers.
    pub summary: Option<(MessageId, String)>,
    /// The conversation's newest messages without their references, newest first. The question is among them, unless
    /// many came after it.
    pub newest: Vec<Message>,
}

/// What to look for in the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeywordQuery {
    /// Whose passages.
    pub tenant: Tenant,
    /// Only in these; empty: in all of the tenant's.
    pub collections: Vec<CollectionId>,
    /// Only in these, if given.
    pub documents: Option<Vec<DocumentId>>,
    /// Words as `text::fts_terms` makes them.
    pub terms: Vec<String>,
    /// How many at most.
    pub limit: usize,
}

/// Documents.
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// One collection.
    async fn collection(&self, tenant: &Tenant, id: CollectionId) -> PortResult<Collection>;
    /// A collection by its name.
    async fn collection_named(&self, tenant: &Tenant, name: &str) -> PortResult<Option<CollectionId>>;
    /// A tenant's collections.
    async fn collections(&self, tenant: &Tenant, page: PageRequest) -> PortResult<Page<Collection>>;
    /// One document.
    async fn document(&self, tenant: &Tenant, id: DocumentId) -> PortResult<Document>;
    /// A tenant's documents.
    async fn documents(
        &self,
        tenant: &Tenant,
        collection: Option<CollectionId>,
        status: Option<DocumentStatus>,
        page: PageRequest,
    ) -> PortResult<Page<Document>>;
    /// The document of a collection whose newest upload has this hash.
    async fn document_with_hash(
        &self,
        collection: CollectionId,
        sha256: &str,
    ) -> PortResult<Option<DocumentId>>;
    /// Documents whose metadata has all of these members.
    async fn documents_where(
        &self,
        tenant: &Tenant,
        metadata: &Map<String, Value>,
    ) -> PortResult<Vec<DocumentId>>;
    /// Some documents of a hidden collection.
    async fn hidden_documents(&self, collection: CollectionId, limit: u32) -> PortResult<Vec<DocumentId>>;
    /// Those of the keys that no version needs, neither as its upload nor as its text.
    async fn unneeded_blobs(&self, keys: &[String]) -> PortResult<Vec<String>>;
    /// The version of a document that answers now; none until the first is ready.
    async fn live_version(&self, tenant: &Tenant, id: DocumentId) -> PortResult<Option<VersionId>>;
    /// One version, whoever owns it: for jobs.
    async fn version(&self, id: VersionId) -> PortResult<Version>;
    /// Every version of a document: for jobs that remove it.
    async fn versions(&self, document: DocumentId) -> PortResult<Vec<Version>>;
    /// Passages `from..to` of a version. Those of a version that answers, or has answered, never change.
    async fn chunk_range(&self, version: VersionId, from: u32, to: u32) -> PortResult<Vec<Chunk>>;
    /// The passages of a document's live version, in order, from an ordinal on.
    async fn chunks(
        &self,
        tenant: &Tenant,
        document: DocumentId,
        from: u32,
        limit: u32,
    ) -> PortResult<Vec<Chunk>>;
    /// Those of the passages that can be found now: their version is live, nothing is deleted.
    async fn passages(&self, tenant: &Tenant, ids: &[ChunkId]) -> PortResult<Vec<Passage>>;
    /// The passages that can be found and have words of a question, best first: for when the index is away. Its answer
    /// is bounded, so of very many that fit it may miss some; what it answers can be found now.
    async fn keyword_search(&self, query: &KeywordQuery) -> PortResult<Vec<Hit>>;
    /// How many of the tenant's rows of passages have each word, as a measure of which are common: spelling is mended
    /// by it. `None`: nothing is kept for it.
    async fn word_frequencies(&self, tenant: &Tenant, words: &[String]) -> PortResult<Option<Vec<u64>>>;
    /// A number that changes whenever what the tenant's searches can find changes; 0 as long as that is nothing, and
    /// never was anything.
    async fn search_revision(&self, tenant: &Tenant) -> PortResult<u64>;
}

/// Which embedding models the index has vectors of.
#[async_trait]
pub trait ModelStore: Send + Sync {
    /// The models that are known.
    async fn embedding_models(&self) -> PortResult<EmbeddingModels>;
    /// Versions that answer, in the order of their ids, after one of them: all, or those that are not indexed under a
    /// model.
    async fn answering_versions(
        &self,
        without: Option<&str>,
        after: Option<VersionId>,
        limit: u32,
    ) -> PortResult<Vec<VersionId>>;
    /// How many of the versions that answer are indexed under a model, and how many there are.
    async fn indexed_under(&self, model: &str) -> PortResult<(u64, u64)>;
}

/// The event log.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Events after a number, in order, at least one batch if there is any.
    async fn events_after(&self, stream: StreamId, after: u64) -> PortResult<Vec<Event>>;
    /// The highest number in the log.
    async fn last_event(&self, stream: StreamId) -> PortResult<u64>;
}

/// Who may call.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// One key, ended or not: for whoever shows its secret.
    async fn api_key(&self, id: KeyId) -> PortResult<ApiKey>;
    /// The keys of a tenant, or of all.
    async fn api_keys(&self, tenant: Option<&Tenant>, page: PageRequest) -> PortResult<Page<ApiKey>>;
}

/// What models took.
#[async_trait]
pub trait UsageStore: Send + Sync {
    /// A tenant's usage, added up by group: days oldest first, other groups by their tokens, most first.
    async fn usage(&self, tenant: &Tenant, query: &UsageQuery) -> PortResult<Page<UsageSum>>;
}

/// A clean-up of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Upkeep {
    /// Refreshes the planner's statistics of the chat tables.
    Analyze,
    /// Rebuilds the chat indexes.
    Reindex,
    /// Removes stream events older than this.
    PurgeStreams(Duration),
    /// Removes retrieved passages that have expired.
    PurgeContexts,
    /// Gives space back.
    Vacuum,
    /// Removes jobs that ended longer ago than this; dead ones stay four times as long.
    PurgeJobs(Duration),
    /// Removes kept answers older than a day.
    PurgeAnswers,
    /// Removes usage older than this.
    PurgeUsage(Duration),
}

/// Every read and write of rows.
#[async_trait]
pub trait Store:
    JobStore + ChatStore + DocumentStore + ModelStore + EventStore + KeyStore + UsageStore
{
    /// Writes all or nothing; durable when it returns. `Stale` if the claim is not held any more.
    async fn commit(&self, write: Write) -> PortResult<Committed>;
    /// One bounded step of a clean-up; returns how many rows it touched, 0 when there is nothing left.
    async fn upkeep(&self, task: Upkeep) -> PortResult<u64>;
    /// Whether the store answers.
    async fn ping(&self) -> PortResult<()>;
}
