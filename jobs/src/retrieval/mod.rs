//! Finds the passages that a question is about.

mod degraded;
mod diversity;
mod kept;
mod request;
mod support;

pub use degraded::Degraded;
pub use request::{Findings, Found, SearchRequest};

use chat_core::{
    ChunkId, DocumentId, PortResult,
    ports::{Hit, IndexQuery, Ports, SearchMode},
    text,
};
use degraded::{Missing, in_rows, is_away};
use kept::Kept;
use std::collections::HashMap;
use tokio::sync::Semaphore;

/// The most passages of one question that the index is asked for.
const MOST: usize = 4096;
/// How many passages are looked at, however few are wanted: they are each other's evidence.
const EVIDENCE: usize = 48;
/// How many searches hold their candidates at a time: a burst of turns would hold all of theirs at once.
static SEARCHES: Semaphore = Semaphore::const_new(16);
/// The longest question that is looked at, in characters: what is longer names no single thing.
const LONGEST: usize = 4000;

/// The best passages, best first, at most `request.limit`. Only what can be found now is answered.
///
/// While the index or the embedding model is away, words alone decide, and the answer says so: it is never kept. A
/// search by vectors alone fails then.
pub async fn search(ports: &Ports, request: &SearchRequest) -> PortResult<Findings> {
    let query = clip(request.query.trim());
    if query.is_empty() || request.limit == 0 {
        return Ok(Findings::default());
    }
    // Read before anything is looked for: what changes meanwhile is kept under a number that nobody asks for again.
    let revision = ports.store.search_revision(&request.tenant).await?;
    let key = kept::key(request, query, ports.embedder.model(), revision);
    if let Some(found) = kept::recall(ports, &request.tenant, &key).await? {
        return Ok(Findings { found, degraded: None });
    }
    let Some(documents) = documents(ports, request).await? else {
        return Ok(Findings::default());
    };
    let (query, without_vector) = index_query(ports, request, query, documents).await?;
    let (found, without_index) = {
        let _place = SEARCHES.acquire().await;
        let (mut candidates, without_index) = candidates(ports, query, request.limit).await?;
        support::raise(&mut candidates);
        (diversity::choose(candidates, request.limit), without_index)
    };
    let degraded = (without_vector || without_index).then_some(Degraded::Keyword);
    if degraded.is_none() {
        kept::keep(ports, &key, found.iter().map(Kept::of).collect()).await;
    }
    Ok(Findings { found, degraded })
}

/// The documents to search in: `Some(None)` all, `None` there are none.
async fn documents(ports: &Ports, request: &SearchRequest) -> PortResult<Option<Option<Vec<DocumentId>>>> {
    if request.filter.is_empty() {
        return Ok(Some(None));
    }
    let documents = ports.store.documents_where(&request.tenant, &request.filter).await?;
    Ok((!documents.is_empty()).then_some(Some(documents)))
}

/// The query for the index; and whether it does without the vector that was asked for.
async fn index_query(
    ports: &Ports,
    request: &SearchRequest,
    query: &str,
    documents: Option<Vec<DocumentId>>,
) -> PortResult<(IndexQuery, bool)> {
    let (mode, vector) = match request.mode {
        SearchMode::Keyword => (SearchMode::Keyword, Vec::new()),
        mode => match (mode, embed(ports, query).await) {
            (mode, Ok(vector)) => {
                Missing::Embedder.is_back();
                (mode, vector)
            }
            (SearchMode::Hybrid, Err(error)) => {
                Missing::Embedder.note(&error);
                (SearchMode::Keyword, Vec::new())
            }
            (_, Err(error)) => return Err(error),
        },
    };
    let query = IndexQuery {
        tenant: request.tenant.clone(),
        model: ports.embedder.model().to_owned(),
        collections: request.collections.clone(),
        documents,
        terms: text::fts_terms(query),
        vector,
        mode,
        alpha: ports.embedder.alpha(),
        limit: 0,
    };
    let fell_back = mode != request.mode;
    Ok((query, fell_back))
}

async fn embed(ports: &Ports, query: &str) -> PortResult<Vec<f32>> {
    let embeddings = ports.embedder.embed(&[query.to_owned()]).await?;
    embeddings.vectors.into_iter().next().ok_or_else(|| {
        chat_core::PortError::new(chat_core::ErrorKind::Protocol, "the embedding model returned no vector")
    })
}

/// Enough passages that can be found to choose `limit` of them; and whether the rows had to be searched, because the
/// index is away. The index may hold versions that are not live, so it is asked for more until there are enough, or no
/// more.
async fn candidates(ports: &Ports, mut query: IndexQuery, limit: usize) -> PortResult<(Vec<Found>, bool)> {
    let enough = (limit * 3).max(EVIDENCE);
    query.limit = enough + enough / 2;
    loop {
        let hits = match ports.index.search(query.clone()).await {
            Err(error) if query.mode != SearchMode::Vector && is_away(&error) => {
                Missing::Index.note(&error);
                let hits = in_rows(ports, &query).await?;
                return Ok((resolve(ports, &query.tenant, &hits).await?, true));
            }
            hits => hits?,
        };
        Missing::Index.is_back();
        let exhausted = hits.len() < query.limit || query.limit >= MOST;
        let found = resolve(ports, &query.tenant, &hits).await?;
        if found.len() >= enough || exhausted {
            return Ok((found, false));
        }
        query.limit = (query.limit * 4).min(MOST);
    }
}

/// The passages of hits, in the order of the hits, without those that cannot be found any more.
async fn resolve(ports: &Ports, tenant: &chat_core::Tenant, hits: &[Hit]) -> PortResult<Vec<Found>> {
    if hits.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<ChunkId> = hits.iter().map(|hit| hit.id).collect();
    let passages = ports.store.passages(tenant, &ids).await?;
    let mut passages: HashMap<_, _> =
        passages.into_iter().map(|passage| (passage.chunk.id, passage)).collect();
    let found = hits.iter().filter_map(|hit| {
        let passage = passages.remove(&hit.id)?;
        Some(Found { passage, score: hit.score, vector: hit.vector, keyword: hit.keyword })
    });
    Ok(found.collect())
}

fn clip(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}
