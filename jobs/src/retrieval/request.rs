use super::Degraded;
use chat_core::{CollectionId, Passage, Tenant, ports::SearchMode};
use serde_json::{Map, Value};

/// What to find.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// Whose passages.
    pub tenant: Tenant,
    /// The question.
    pub query: String,
    /// Only in these; empty: in all of the tenant's.
    pub collections: Vec<CollectionId>,
    /// How many passages at most.
    pub limit: usize,
    /// Which scores count.
    pub mode: SearchMode,
    /// Only in documents whose metadata has all of these members.
    pub filter: Map<String, Value>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    /// The passages, best first.
    pub found: Vec<Found>,
    /// What it had to do with, if it could not search as it was asked to.
    pub degraded: Option<Degraded>,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The passage.
    pub passage: Passage,
    /// The fused score, 0 to 1.
    pub score: f32,
    /// Cosine similarity, if it was looked at.
    pub vector: Option<f32>,
    /// BM25, if it matched.
    pub keyword: Option<f32>,
}
