//! Finds the passages that a question is about.

mod degraded;
mod diversity;
mod kept;
mod literal;
mod request;
mod spelling;
mod support;

pub use degraded::Degraded;
pub use request::{Findings, Found, SearchRequest};

use crate::{
    failure::of_model,
    models::{embedder, live_model},
};
use chat_core::{
    ChunkId, DocumentId, EmbeddingModels, ErrorKind, PortError, PortResult,
    ports::{Embedder, Hit, IndexQuery, Ports, SearchMode},
    text,
};
use degraded::{Missing, in_rows, is_away};
use kept::Kept;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// The most passages of one question that the index is asked for.
const MOST: usize = 4096;
/// How many passages are looked at, however few are wanted: they are each other's evidence.
const EVIDENCE: usize = 48;
/// How many searches hold their candidates at a time: a burst of turns would hold all of theirs at once.
static SEARCHES: Semaphore = Semaphore::const_new(16);
/// How long a search waits for the vector of its question: a model on the same machine may have to be loaded first.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The same, when it was in vain before.
const LONGEST_OF_MISSING: Duration = Duration::from_secs(2);
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
    let store = &ports.store;
    let (revision, models) =
        tokio::try_join!(store.search_revision(&request.tenant), store.embedding_models())?;
    if revision == 0 {
        return Ok(Findings::default()); // nothing was ever there to be found
    }
    let key = kept::key(request, query, &live_model(ports, &models).name, revision);
    if let Some(found) = kept::recall(ports, &request.tenant, &key).await? {
        return Ok(Findings { found, degraded: None });
    }
    let Some(documents) = documents(ports, request).await? else {
        return Ok(Findings::default());
    };
    let asked = index_query(ports, request, &models, query, documents).await?;
    let without_vector = asked.query.mode != request.mode;
    let (found, in_rows) = {
        let _place = SEARCHES.acquire().await;
        let (mut candidates, in_rows) = as_meant(ports, asked, request.limit).await?;
        // Who asks for vectors alone wants the nearest, and nothing else to count.
        if request.mode != SearchMode::Vector {
            support::raise(&mut candidates);
            literal::raise(query, &mut candidates);
            candidates = diversity::choose(candidates, request.limit);
        }
        candidates.truncate(request.limit);
        (candidates, in_rows)
    };
    let degraded = (without_vector || in_rows).then_some(Degraded::Keyword);
    if degraded.is_none() {
        kept::keep(ports, key, &found.iter().map(Kept::of).collect::<Vec<_>>());
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

/// Candidates for the question as it was meant. They are looked for as it was asked meanwhile: hardly any is misspelt.
async fn as_meant(ports: &Ports, asked: Asked, limit: usize) -> PortResult<(Vec<Found>, bool)> {
    let IndexQuery { tenant, terms, mode, .. } = &asked.query;
    if *mode == SearchMode::Vector {
        return candidates(ports, asked, limit).await;
    }
    let mended = spelling::mended(&*ports.store, tenant, terms);
    let (found, mended) = tokio::try_join!(candidates(ports, asked.clone(), limit), mended)?;
    let Some(terms) = mended else { return Ok(found) };
    let Asked { query, in_rows } = asked;
    candidates(ports, Asked { query: IndexQuery { terms, ..query }, in_rows }, limit).await
}

/// What is looked for, and where.
#[derive(Clone)]
struct Asked {
    query: IndexQuery,
    /// In the rows: the index may lack what came in lately.
    in_rows: bool,
}

/// The query for the index. If the embedding model does not answer, it is one for keywords.
async fn index_query(
    ports: &Ports,
    request: &SearchRequest,
    models: &EmbeddingModels,
    query: &str,
    documents: Option<Vec<DocumentId>>,
) -> PortResult<Asked> {
    let model = live_model(ports, models);
    let embedder = embedder(ports, &model);
    let alpha = embedder.as_ref().map_or(0.5, |embedder| embedder.alpha());
    let (mode, vector) = match request.mode {
        SearchMode::Keyword => (SearchMode::Keyword, Vec::new()),
        mode => match (mode, embed(ports, embedder, query).await) {
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
        model: model.name,
        collections: request.collections.clone(),
        documents,
        terms: text::fts_terms(query),
        vector,
        mode,
        alpha,
        limit: 0,
    };
    // While one model replaces another that does not answer any more, new documents have vectors of the new one only.
    let in_rows = mode != request.mode && models.building().is_some();
    Ok(Asked { query, in_rows })
}

/// Nobody waits for long: words can do without.
async fn embed(ports: &Ports, embedder: PortResult<Arc<dyn Embedder>>, query: &str) -> PortResult<Vec<f32>> {
    let limit = if Missing::Embedder.is_known() { LONGEST_OF_MISSING } else { LONGEST_WAIT };
    let (embedder, texts) = (embedder?, [query.to_owned()]);
    let embeddings = tokio::select! {
        embeddings = embedder.embed(&texts) => embeddings.map_err(of_model)?,
        () = ports.clock.sleep(limit) => {
            let message = format!("the embedding model did not answer within {} s", limit.as_secs());
            return Err(of_model(PortError::new(ErrorKind::Timeout, message)));
        }
    };
    let none = || of_model(PortError::new(ErrorKind::Protocol, "the embedding model returned no vector"));
    embeddings.vectors.into_iter().next().ok_or_else(none)
}

/// Enough passages that can be found to choose `limit` of them; and whether the rows had to be searched, because the
/// index is away. The index may hold versions that are not live, so it is asked for more until there are enough, or no
/// more.
async fn candidates(ports: &Ports, asked: Asked, limit: usize) -> PortResult<(Vec<Found>, bool)> {
    let mut query = asked.query;
    let enough = limit * 3;
    query.limit = (enough + enough / 2).max(EVIDENCE);
    if asked.in_rows {
        let hits = in_rows(ports, &query).await?;
        return Ok((resolve(ports, &query.tenant, &hits).await?, true));
    }
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
