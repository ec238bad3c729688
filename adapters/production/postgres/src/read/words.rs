//! Keyword search in the rows.

use crate::{PostgresStore, error::port_error};
use chat_core::{
    Chunk, ChunkId, PortError, PortResult, Tenant,
    ports::{Hit, KeywordQuery},
    text::{PASSAGES_PER_ROW, Ranking, word_key},
};
use uuid::Uuid;

/// The most words of a question that are looked up.
const MOST_TERMS: usize = 48;
/// The most rows of a word that are looked at: a word that so many have says little.
const MOST_ROWS: i64 = 4_000;
/// How many rows of a word are counted, to tell which of two is the commoner one.
const MOST_COUNTED: i64 = 500;
/// How many rows, of up to 64 neighbouring passages, have all of their passages read and ranked.
const CANDIDATES: i64 = 32;

pub(super) async fn find(store: &PostgresStore, query: &KeywordQuery) -> PortResult<Vec<Hit>> {
    if query.terms.is_empty() || query.limit == 0 || query.documents.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let terms = query.terms.iter().take(MOST_TERMS);
    let keys: Vec<i32> = terms.map(|term| word_key(&query.tenant, term)).collect();
    let collections: Vec<Uuid> = query.collections.iter().map(|id| id.0).collect();
    let documents = query.documents.as_ref().map(|ids| ids.iter().map(|id| id.0).collect::<Vec<_>>());
    let collections = Some(collections).filter(|some| !some.is_empty());
    // First the rows that have most of the question's words, rare ones counting more; then their passages. Filters come
    // before the limits, so that what is filtered out takes nobody's place.
    let rows = sqlx::query_as!(
        Candidate,
        r#"
WITH found AS (
    SELECT place.version, place.block, asked.key
    FROM unnest($1::integer[]) AS asked (key) CROSS JOIN LATERAL (
        SELECT w.version, w.block FROM chunk_words w
        JOIN document_versions v ON v.id = w.version
        JOIN documents d ON d.id = v.document AND d.live_version = v.id
        WHERE w.keys @> ARRAY[asked.key] AND d.tenant = $2 AND NOT d.hidden
          AND ($3::uuid[] IS NULL OR d.collection = ANY($3)) AND ($4::uuid[] IS NULL OR d.id = ANY($4))
        LIMIT $5::bigint) AS place),
rarity AS (SELECT key, ln(1 + $5::bigint::double precision / count(*)) AS weight FROM found GROUP BY key),
best AS (
    SELECT version, block FROM found JOIN rarity USING (key)
    GROUP BY version, block ORDER BY sum(weight) DESC, version, block LIMIT $6)
SELECT k.id, k.title, k.text FROM best
JOIN chunks k ON k.version = best.version
             AND k.ordinal >= best.block * $7::integer AND k.ordinal < (best.block + 1) * $7::integer"#,
        &keys,
        query.tenant.as_str(),
        collections.as_deref(),
        documents.as_deref(),
        MOST_ROWS,
        CANDIDATES,
        PASSAGES_PER_ROW.cast_signed()
    );
    let rows = rows.fetch_all(store.pool()).await.map_err(port_error)?;
    rank(rows, query.clone()).await
}

/// How many rows have each word; what is very common is not counted to its end.
pub(super) async fn frequencies(
    store: &PostgresStore,
    tenant: &Tenant,
    words: &[String],
) -> PortResult<Vec<u64>> {
    let keys: Vec<i32> = words.iter().map(|word| word_key(tenant, word)).collect();
    let counts = sqlx::query_scalar!(
        r#"
SELECT (SELECT count(*) FROM (
        SELECT FROM chunk_words w WHERE w.keys @> ARRAY[asked.key] LIMIT $2) AS found) AS "having!"
FROM unnest($1::integer[]) WITH ORDINALITY AS asked (key, at) ORDER BY asked.at"#,
        &keys,
        MOST_COUNTED
    );
    let counts = counts.fetch_all(store.pool()).await.map_err(port_error)?;
    Ok(counts.into_iter().map(i64::cast_unsigned).collect())
}

/// A passage that may have the words.
struct Candidate {
    id: Uuid,
    title: Option<String>,
    text: String,
}

/// Thousands of passages are read for their words: beside the async threads.
async fn rank(rows: Vec<Candidate>, query: KeywordQuery) -> PortResult<Vec<Hit>> {
    let ranked = tokio::task::spawn_blocking(move || {
        let mut ranking = Ranking::of(&query.terms);
        for row in &rows {
            ranking.add(ChunkId(row.id), &Chunk::with_heading(row.title.as_deref(), &row.text));
        }
        ranking.best(query.limit)
    });
    ranked.await.map_err(|error| PortError::internal("the search failed").with_source(error))
}
