//! From the scores of two searches to one: relative score fusion, as Weaviate's `relativeScoreFusion` does it
//! (<https://docs.weaviate.io/weaviate/concepts/search/hybrid-search>). Each list's scores are stretched to 0..1, so
//! that the best of a list counts 1 and its worst candidate 0, then weighted and added.
//!
//! Where a list ends decides what counts 0, so every index brings as many candidates: [`candidates`].

use crate::{ChunkId, ports::Hit};
use std::collections::HashMap;

/// Passages with a score, best first.
pub type Ranked = Vec<(ChunkId, f32)>;

/// The fewest candidates that each side of a hybrid search brings.
const LEAST_CANDIDATES: usize = 50;

/// How many candidates each side of a hybrid search brings for so many hits. With as many as there are hits, a
/// passage that is just good enough to be one counts 0: of 275 questions over two books the right chapter was among the
/// first three for 253 on Weaviate with twice as many, for 256 with three or four times as many; each costs a read.
pub fn candidates(limit: usize) -> usize {
    limit.saturating_mul(3).max(LEAST_CANDIDATES)
}

/// Stretches scores so that the lowest becomes 0 and the highest 1; a list of equal scores is all 1.
struct Scale {
    lowest: f32,
    width: f32,
}

impl Scale {
    fn of(scores: &[(ChunkId, f32)]) -> Self {
        let highest = scores.first().map_or(0.0, |best| best.1);
        let lowest = scores.last().map_or(0.0, |worst| worst.1);
        Self { lowest, width: highest - lowest }
    }

    fn apply(&self, score: f32) -> f32 {
        if self.width > 0.0 { ((score - self.lowest) / self.width).clamp(0.0, 1.0) } else { 1.0 }
    }
}

/// Fuses two lists, each best first: at most `limit` hits, best first, with scores from 0 to 1. `alpha`, 0 to 1, is the
/// weight of nearness. `cosine` tells the vector score of what only the keywords found, so that nothing counts as far
/// just because it is not among the nearest; without it that counts 0.
pub fn fuse(
    near: &[(ChunkId, f32)],
    matching: &[(ChunkId, f32)],
    cosine: impl Fn(ChunkId) -> Option<f32>,
    alpha: f32,
    limit: usize,
) -> Vec<Hit> {
    let (by_vector, by_keyword) = (Scale::of(near), Scale::of(matching));
    let mut hits: HashMap<ChunkId, Hit> = HashMap::with_capacity(near.len() + matching.len());
    for &(id, score) in near {
        hits.insert(id, Hit { id, score: 0.0, vector: Some(score), keyword: None });
    }
    for &(id, score) in matching {
        let hit = hits.entry(id).or_insert_with(|| Hit { id, score: 0.0, vector: cosine(id), keyword: None });
        hit.keyword = Some(score);
    }
    let alpha = alpha.clamp(0.0, 1.0);
    let mut hits: Vec<Hit> = hits.into_values().collect();
    for hit in &mut hits {
        let vector = hit.vector.map_or(0.0, |score| by_vector.apply(score));
        let keyword = hit.keyword.map_or(0.0, |score| by_keyword.apply(score));
        hit.score = alpha * vector + (1.0 - alpha) * keyword;
    }
    hits.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    hits.truncate(limit);
    hits
}

/// The hits of a vector search alone: the score is the cosine.
pub fn by_vector(near: &[(ChunkId, f32)]) -> Vec<Hit> {
    near.iter()
        .map(|&(id, score)| Hit { id, score: score.clamp(0.0, 1.0), vector: Some(score), keyword: None })
        .collect()
}

/// The hits of a keyword search alone: BM25 has no upper bound, so the score is relative to the best.
pub fn by_keyword(matching: &[(ChunkId, f32)]) -> Vec<Hit> {
    let best = matching.first().map_or(1.0, |best| best.1).max(f32::MIN_POSITIVE);
    matching
        .iter()
        .map(|&(id, score)| Hit {
            id,
            score: (score / best).clamp(0.0, 1.0),
            vector: None,
            keyword: Some(score),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VersionId;

    fn ids() -> [ChunkId; 3] {
        let version = VersionId::new();
        [0, 1, 2].map(|ordinal| ChunkId::of(version, ordinal, "m"))
    }

    #[test]
    fn scores_are_relative_to_their_list_and_weighted() {
        let [a, b, c] = ids();
        let near = vec![(a, 0.9), (b, 0.5), (c, 0.1)];
        let matching = vec![(c, 12.0), (b, 3.0)];
        let hits = fuse(&near, &matching, |_| None, 0.25, 10);
        let score = |id| hits.iter().find(|hit| hit.id == id).map(|hit| (hit.score * 1_000.0).round());
        assert_eq!(score(a), Some(250.0));
        assert_eq!(score(b), Some(125.0));
        assert_eq!(score(c), Some(750.0));
        assert_eq!((hits[0].id, hits[0].vector, hits[0].keyword), (c, Some(0.1), Some(12.0)));
    }

    #[test]
    fn what_only_keywords_found_gets_its_vector_score() {
        let [a, b, c] = ids();
        let hits = fuse(&[(a, 0.9), (b, 0.1)], &[(c, 2.0)], |_| Some(0.05), 0.5, 10);
        let found = hits.iter().find(|hit| hit.id == c);
        assert_eq!(found.map(|hit| (hit.score, hit.vector)), Some((0.5, Some(0.05))));
    }

    #[test]
    fn nothing_found_is_nothing() {
        assert!(fuse(&[], &[], |_| None, 0.5, 10).is_empty());
        assert!(by_keyword(&[]).is_empty());
    }

    #[test]
    fn single_modes_score_between_0_and_1() {
        let [a, b, _] = ids();
        assert_eq!(
            by_keyword(&[(a, 8.0), (b, 2.0)]).iter().map(|hit| hit.score).collect::<Vec<_>>(),
            [1.0, 0.25]
        );
        assert_eq!(
            by_vector(&[(a, 0.5), (b, -0.5)]).iter().map(|hit| hit.score).collect::<Vec<_>>(),
            [0.5, 0.0]
        );
    }
}
