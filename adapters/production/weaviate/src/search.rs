//! Searching.

use crate::{
    WeaviateIndex,
    names::{passage_id, shard},
    points::{equals, or_nothing, vectors},
    schema::vector_name,
    wire::{
        AND, Bm25, CONTAINS_ANY, FilterTarget, Filters, Hybrid, MetadataRequest, MetadataResult, NearVector,
        PropertiesRequest, RELATIVE_SCORE, SearchReply, SearchRequest, Targets, TestValue, TextArray,
    },
};
use chat_core::{
    PortResult,
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
        let reply = or_nothing(self.grpc.search(self.request(&query, mode)).await, SearchReply::default())?;
        let found: Vec<_> = reply.results.into_iter().filter_map(|result| result.metadata).collect();
        let best = found.first().map_or(1.0, |best| best.score).max(f32::MIN_POSITIVE);
        Ok(found.iter().filter_map(|found| hit(found, &query.model, mode, best)).collect())
    }

    fn request(&self, query: &IndexQuery, mode: SearchMode) -> SearchRequest {
        let targets = || Some(Targets { target_vectors: vec![vector_name(&query.model)] });
        let vectors = || vec![vectors(&query.model, &query.vector)];
        let (words, properties) = (query.terms.join(" "), vec![KEYWORDS.to_owned()]);
        let mut request = SearchRequest {
            collection: self.schema.collection.clone(),
            tenant: shard(&query.tenant),
            properties: Some(PropertiesRequest::default()),
            metadata: Some(MetadataRequest { uuid: true, distance: true, score: true, explain_score: true }),
            limit: u32::try_from(query.limit).unwrap_or(u32::MAX),
            filters: Some(filters(query)),
            uses_127_api: true,
            ..SearchRequest::default()
        };
        match mode {
            SearchMode::Vector => {
                request.near_vector = Some(NearVector { targets: targets(), vectors: vectors() });
            }
            SearchMode::Keyword => request.bm25_search = Some(Bm25 { query: words, properties }),
            SearchMode::Hybrid => {
                request.hybrid_search = Some(Hybrid {
                    query: words,
                    properties,
                    fusion_type: RELATIVE_SCORE,
                    targets: targets(),
                    alpha_param: Some(query.alpha.clamp(0.0, 1.0)),
                    use_alpha_param: true,
                    vectors: vectors(),
                });
            }
        }
        request
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

fn hit(found: &MetadataResult, model: &str, mode: SearchMode, best: f32) -> Option<Hit> {
    let id = passage_id(Uuid::parse_str(&found.id).ok()?, model);
    let cosine = found.distance_present.then_some(1.0 - found.distance);
    Some(match mode {
        SearchMode::Vector => Hit { id, score: cosine?.clamp(0.0, 1.0), vector: cosine, keyword: None },
        // BM25 has no upper bound, so the score is relative to the best.
        SearchMode::Keyword => {
            Hit { id, score: (found.score / best).clamp(0.0, 1.0), vector: None, keyword: Some(found.score) }
        }
        SearchMode::Hybrid => Hit {
            id,
            score: found.score.clamp(0.0, 1.0),
            vector: original_score(&found.explain_score, "vector,"),
            keyword: original_score(&found.explain_score, "keyword,"),
        },
    })
}

/// The score that one of the two searches gave, as the explanation of a fused score tells it:
/// `Hybrid (Result Set keyword,bm25) Document ...: original score 1.35, normalized score: 0.5 - ...`.
fn original_score(explanation: &str, search: &str) -> Option<f32> {
    let part = explanation.split("(Result Set ").find(|part| part.starts_with(search))?;
    let number = part.split("original score ").nth(1)?;
    let end = number.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | 'e' | 'E' | '+')));
    number[..end.unwrap_or(number.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_scores_are_read_from_an_explanation() {
        let text = "\nHybrid (Result Set keyword,bm25) Document 0e27: original score 1.3453, normalized score: 0.5 - \n\
                    Hybrid (Result Set vector,hybridVector) Document 0e27: original score 0.8,  normalized score: 0.5";
        assert_eq!(original_score(text, "keyword,"), Some(1.3453));
        assert_eq!(original_score(text, "vector,"), Some(0.8));
        assert_eq!(original_score("something else", "vector,"), None);
    }
}
