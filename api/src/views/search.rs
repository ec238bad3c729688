use crate::page::List;
use chat_core::{ChunkId, DocumentId};
use chat_jobs::{Degraded, Findings, retrieval::Found, shortest};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What a search found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchResult)]
pub struct SearchView {
    /// The passages, best first.
    #[serde(flatten)]
    list: List<PassageView>,
    /// `keyword`: the index or the embedding model is away, so words alone decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "keyword")]
    degraded: Option<Degraded>,
}

impl From<Findings> for SearchView {
    fn from(findings: Findings) -> Self {
        let passages = findings.found.into_iter().map(PassageView::from).collect();
        Self { list: List::whole(passages), degraded: findings.degraded }
    }
}

/// A passage that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Passage)]
pub struct PassageView {
    /// The passage.
    #[schema(value_type = String)]
    chunk_id: ChunkId,
    /// The document.
    #[schema(value_type = String)]
    document_id: DocumentId,
    /// Document and headings.
    title: String,
    /// The passage's text.
    text: String,
    /// The fused score, 0 to 1.
    score: f64,
    /// What the score is made of.
    scores: ScoresView,
    /// Where the passage begins in the document's text, in characters.
    start: u64,
    /// Where it ends, in characters, exclusive.
    end: u64,
    /// The document's own data.
    #[schema(value_type = Object)]
    metadata: Value,
}

/// What a score is made of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Scores)]
pub struct ScoresView {
    /// Cosine similarity, if it was looked at.
    vector: Option<f64>,
    /// BM25, if it matched.
    keyword: Option<f64>,
}

impl From<Found> for PassageView {
    fn from(found: Found) -> Self {
        let title = found.passage.title();
        Self {
            chunk_id: found.passage.chunk.id,
            document_id: found.passage.document,
            title,
            text: found.passage.chunk.text,
            score: shortest(found.score),
            scores: ScoresView { vector: found.vector.map(shortest), keyword: found.keyword.map(shortest) },
            start: found.passage.chunk.start,
            end: found.passage.chunk.end,
            metadata: found.passage.metadata,
        }
    }
}
