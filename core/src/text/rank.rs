//! BM25 over texts that are at hand, where no index knows how rare a word is: the candidates are their own statistics.

use super::keywords;
use crate::{ChunkId, ports::Hit};
use std::collections::HashMap;

/// How soon another occurrence of a word stops counting.
const K1: f32 = 1.2;
/// How much a long passage is held against it.
const B: f32 = 0.75;
/// The most words of a question that are looked for.
const MOST_TERMS: usize = 256;

/// Passages that may answer a question, and how well their words fit.
#[derive(Debug)]
pub struct Ranking {
    terms: HashMap<String, usize>,
    /// How many passages have each term.
    having: Vec<u32>,
    matching: Vec<Candidate>,
    passages: u32,
    words: u64,
}

#[derive(Debug)]
struct Candidate {
    id: ChunkId,
    length: usize,
    /// The term, and how often the passage has it.
    times: Vec<(usize, u32)>,
}

impl Ranking {
    /// For the words of a question, as `fts_terms` makes them.
    pub fn of(terms: &[String]) -> Self {
        let terms: HashMap<_, _> =
            terms.iter().take(MOST_TERMS).enumerate().map(|(at, term)| (term.clone(), at)).collect();
        Self { having: vec![0; terms.len()], terms, matching: Vec::new(), passages: 0, words: 0 }
    }

    /// Looks at a passage: its text with the headings above it.
    pub fn add(&mut self, id: ChunkId, text: &str) {
        let words = keywords(text);
        self.passages += 1;
        self.words += words.len() as u64;
        let mut times: HashMap<usize, u32> = HashMap::new();
        for term in words.iter().filter_map(|word| self.terms.get(word)) {
            *times.entry(*term).or_default() += 1;
        }
        if times.is_empty() {
            return;
        }
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        for (term, _) in &times {
            self.having[*term] += 1;
        }
        self.matching.push(Candidate { id, length: words.len(), times });
    }

    /// The best passages, best first; the score is relative to the best one.
    pub fn best(&self, limit: usize) -> Vec<Hit> {
        let mut scored: Vec<_> = self.matching.iter().map(|found| (found.id, self.score(found))).collect();
        scored.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        scored.truncate(limit);
        let best = scored.first().map_or(1.0, |best| best.1).max(f32::MIN_POSITIVE);
        let hit = |(id, bm25): (ChunkId, f32)| Hit {
            id,
            score: (bm25 / best).clamp(0.0, 1.0),
            vector: None,
            keyword: Some(bm25),
        };
        scored.into_iter().map(hit).collect()
    }

    fn score(&self, found: &Candidate) -> f32 {
        let mean = (self.words as f32 / self.passages.max(1) as f32).max(1.0);
        let long = K1 * (1.0 - B + B * found.length as f32 / mean);
        let scores = found.times.iter().map(|(term, times)| {
            let (times, having) = (*times as f32, self.having[*term] as f32);
            let rarity = (1.0 + (self.passages as f32 - having + 0.5) / (having + 0.5)).ln();
            rarity * times * (K1 + 1.0) / (times + long)
        });
        scores.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VersionId, text::fts_terms};

    #[test]
    fn rare_words_count_more_and_what_has_none_is_left_out() {
        let version = VersionId::new();
        let id = |n| ChunkId::of(version, n, "m");
        let mut ranking = Ranking::of(&fts_terms("泵的密封圈 the"));
        for (n, text) in [(0, "the pump 泵"), (1, "the 密封圈 of the 泵"), (2, "the end"), (3, "没有")]
        {
            ranking.add(id(n), text);
        }
        let hits = ranking.best(10);
        assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [id(1), id(0), id(2)]);
        assert!((hits[0].score - 1.0).abs() < 1e-6 && hits.is_sorted_by(|a, b| a.score >= b.score));
        assert!(hits.iter().all(|hit| hit.keyword.is_some_and(|bm25| bm25 > 0.0) && hit.vector.is_none()));
        assert_eq!(ranking.best(1).len(), 1);
        assert!(Ranking::of(&[]).best(3).is_empty());
    }
}
