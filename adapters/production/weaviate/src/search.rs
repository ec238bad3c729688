//! Searching.

use crate::{
    WeaviateIndex,
    names::{passage_id, shard},
    points::{equals, or_nothing, vectors},
    schema::vector_name,
    wire::{
        AND, Bm25, CONTAINS_ANY, FilterTarget, Filters, MetadataRequest, MetadataResult, NearVector,
        PropertiesRequest, SearchReply, SearchRequest, Targets, TestValue, TextArray,
    },
};
use chat_core::{
    PortResult,
    fusion::{self, Ranked},
    ports::{Hit, IndexQuery, SearchMode},
};
use uuid::Uuid;

/// What the words of a passage are called.
const KEYWORDS: &str = "keywords";

impl WeaviateIndex {
    pub(crate) async fn find(&self, query: IndexQuery) -> PortResult<Vec<Hit>> {
        let nothing_wanted = query.limit == 0 || query.documents.as_ref().is_some_and(Vec::is_empty);
        let no_words = query.terms.is_empty();
        if nothing_wanted || (no_words && query.mode == SearchMode::Keyword) {
            return Ok(Vec::new());
        }
        // Without words only nearness is left.
        let mode = if no_words { SearchMode::Vector } else { query.mode };
        Ok(match mode {
            SearchMode::Vector => fusion::by_vector(&self.nearest(&query, query.limit).await?),
            SearchMode::Keyword => fusion::by_keyword(&self.matching(&query, query.limit).await?),
            SearchMode::Hybrid => {
                let count = fusion::candidates(query.limit);
                let (near, matching) =
                    tokio::try_join!(self.nearest(&query, count), self.matching(&query, count))?;
                // To ask for the cosines of what only the keywords found takes another call, and brings no better
                // passages: of 275 questions over two books the same were answered.
                fusion::fuse(&near, &matching, |_| None, query.alpha, query.limit)
            }
        })
    }

    /// The passages nearest to the question's vector, with their cosines.
    async fn nearest(&self, query: &IndexQuery, count: usize) -> PortResult<Ranked> {
        let near = NearVector {
            targets: Some(Targets { target_vectors: vec![vector_name(&query.model)] }),
            vectors: vec![vectors(&query.model, &query.vector)],
        };
        let request = SearchRequest { near_vector: Some(near), ..self.request(query, count) };
        self.ranked(request, &query.model, |found| found.distance_present.then_some(1.0 - found.distance))
            .await
    }

    /// The passages that match the question's words best, with their BM25.
    async fn matching(&self, query: &IndexQuery, count: usize) -> PortResult<Ranked> {
        let words = Bm25 { query: query.terms.join(" "), properties: vec![KEYWORDS.to_owned()] };
        let request = SearchRequest { bm25_search: Some(words), ..self.request(query, count) };
        self.ranked(request, &query.model, |found| Some(found.score)).await
    }

    /// What every search asks for.
    fn request(&self, query: &IndexQuery, count: usize) -> SearchRequest {
        SearchRequest {
            collection: self.schema.collection.clone(),
            tenant: shard(&query.tenant),
            properties: Some(PropertiesRequest::default()),
            metadata: Some(MetadataRequest { uuid: true, distance: true, score: true }),
            limit: u32::try_from(count).unwrap_or(u32::MAX),
            filters: Some(filters(query)),
            uses_127_api: true,
            ..SearchRequest::default()
        }
    }

    async fn ranked(
        &self,
        request: SearchRequest,
        model: &str,
        score: impl Fn(&MetadataResult) -> Option<f32>,
    ) -> PortResult<Ranked> {
        let reply = or_nothing(self.grpc.search(request).await, SearchReply::default())?;
        let found = reply.results.iter().filter_map(|result| result.metadata.as_ref());
        let ranked = found
            .filter_map(|found| Some((passage_id(Uuid::parse_str(&found.id).ok()?, model), score(found)?)));
        Ok(ranked.collect())
    }
}

/// Only what this model embedded, in the collections and documents that are asked for.
fn filters(query: &IndexQuery) -> Filters {
    let mut all = vec![equals("model", &query.model)];
    if !query.collections.is_empty() {
        all.push(any_of("collection", query.collections.iter().map(|id| id.0)));
    }
    if let Some(documents) = &query.documents {
        all.push(any_of("document", documents.iter().map(|id| id.0)));
    }
    if all.len() == 1 {
        return all.remove(0);
    }
    Filters { operator: AND, filters: all, ..Filters::default() }
}

fn any_of(property: &str, ids: impl Iterator<Item = Uuid>) -> Filters {
    Filters {
        operator: CONTAINS_ANY,
        target: Some(FilterTarget { property: property.to_owned() }),
        test_value: Some(TestValue::Texts(TextArray { values: ids.map(|id| id.to_string()).collect() })),
        ..Filters::default()
    }
}
