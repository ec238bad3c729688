use crate::{ChunkId, CollectionId, DocumentId, PortResult, Tenant, VersionId};
use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

/// A passage as the index keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The passage.
    pub id: ChunkId,
    /// The version that it is part of.
    pub version: VersionId,
    /// The document.
    pub document: DocumentId,
    /// The collection.
    pub collection: CollectionId,
    /// What keyword search matches: words as `text::keyword_text` writes them, of heading and passage.
    pub keywords: String,
    /// The passage's vector, of the embedding model's dimension; unit length.
    pub vector: Vec<f32>,
}

/// Which scores count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// Both.
    #[default]
    Hybrid,
    /// Nearness of meaning.
    Vector,
    /// BM25.
    Keyword,
}

/// What to look for.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexQuery {
    /// Whose passages.
    pub tenant: Tenant,
    /// The embedding model of `vector` and of the passages.
    pub model: String,
    /// Only in these; empty: in all of the tenant's.
    pub collections: Vec<CollectionId>,
    /// Only in these, if given.
    pub documents: Option<Vec<DocumentId>>,
    /// Words as `text::fts_terms` makes them.
    pub terms: Vec<String>,
    /// The question's vector; not needed for keyword search.
    pub vector: Vec<f32>,
    /// Which scores count.
    pub mode: SearchMode,
    /// The weight of the vector score in hybrid search, 0 to 1.
    pub alpha: f32,
    /// How many at most.
    pub limit: usize,
}

/// A passage that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The passage.
    pub id: ChunkId,
    /// The fused score, 0 to 1.
    pub score: f32,
    /// Cosine similarity, if it was looked at.
    pub vector: Option<f32>,
    /// BM25, if it matched.
    pub keyword: Option<f32>,
}

/// That an index has points of a version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Holding {
    /// Where: whose it is, as the index writes it.
    pub place: String,
    /// The version.
    pub version: VersionId,
}

/// Passages and their vectors. A passage has at most one point per tenant and model. It may hold versions that are not live: who searches asks SQL which are.
#[async_trait]
pub trait Index: Send + Sync {
    /// Adds or replaces points of one tenant and embedding model; durable when it returns.
    async fn upsert(&self, tenant: &Tenant, model: &str, points: Vec<Point>) -> PortResult<()>;
    /// The best passages, best first.
    async fn search(&self, query: IndexQuery) -> PortResult<Vec<Hit>>;
    /// How many points a version has, of all models.
    async fn count(&self, tenant: &Tenant, version: VersionId) -> PortResult<u64>;
    /// How many points of one model a version has.
    async fn count_of(&self, tenant: &Tenant, model: &str, version: VersionId) -> PortResult<u64>;
    /// Removes some points of a model, of any tenant; how many. None are left when it says 0.
    async fn drop_model(&self, model: &str) -> PortResult<u64>;
    /// Removes a version; returns only when nothing of it can be found.
    async fn delete_version(&self, tenant: &Tenant, version: VersionId) -> PortResult<()>;
    /// Removes every version of a document.
    async fn delete_document(&self, tenant: &Tenant, document: DocumentId) -> PortResult<()>;
    /// Every version that there are points of, of any tenant; it may come more than once. What is added or removed
    /// meanwhile may be missed.
    fn holdings(&self) -> BoxStream<'_, PortResult<Holding>>;
    /// Removes what is held of a version, also of one that no row knows any more.
    async fn discard(&self, holding: &Holding) -> PortResult<()>;
    /// Whether the index answers.
    async fn ping(&self) -> PortResult<()>;
}
