//! BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009), with the inverse
//! document frequency that is never negative.

use super::{postings::Postings, terms::hash};
use chat_core::text::corrected;

/// How soon another occurrence of a word stops counting.
const K1: f32 = 1.2;
/// How much a long passage is held against it.
const B: f32 = 0.75;
/// The most words of a question that are looked for.
const MOST_TERMS: usize = 256;

/// The score of each slot; 0 where no word matches. A word that no passage has counts as the one that was meant.
pub(super) fn scores(postings: &Postings, terms: &[String]) -> Vec<f32> {
    let mut scores = vec![0.0; postings.slots()];
    let mean = postings.mean_length().max(1.0);
    let terms = &terms[..terms.len().min(MOST_TERMS)];
    for term in corrected(terms, |word| postings.having(hash(word)).count()) {
        let having = postings.having(hash(&term));
        let rarity = rarity(having.clone().count(), postings.present());
        for (slot, times, length) in having {
            let saturation = times + K1 * (1.0 - B + B * length / mean);
            scores[slot] += rarity * times * (K1 + 1.0) / saturation;
        }
    }
    scores
}

/// What a word tells: the fewer passages have it, the more.
fn rarity(having: usize, all: usize) -> f32 {
    let (having, all) = (having as f32, all as f32);
    (1.0 + (all - having + 0.5) / (having + 0.5)).ln()
}

#[cfg(test)]
mod tests {
    use super::{super::terms::count, *};

    fn postings(passages: &[&str]) -> Postings {
        let mut postings = Postings::default();
        for passage in passages {
            postings.push(&count(passage));
        }
        postings
    }

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_formula_is_the_published_one() {
        let postings = postings(&["a a b", "b c", "c d e f"]);
        // a: in 1 of 3, twice in a passage of the mean length.
        let idf = (1.0_f32 + 2.5 / 1.5).ln();
        let expected = idf * 2.0 * 2.2 / (2.0 + 1.2);
        assert!((scores(&postings, &words("a"))[0] - expected).abs() < 1e-6);
        assert_eq!(scores(&postings, &words("a"))[1..], [0.0, 0.0]);
    }

    #[test]
    fn what_went_counts_no_more() {
        let mut with = postings(&["a b", "a c", "d d d d"]);
        with.remove(1);
        let without = postings(&["a b", "d d d d"]);
        assert_eq!(
            scores(&with, &words("a d")),
            [scores(&without, &words("a d"))[0], 0.0, scores(&without, &words("a d"))[1]]
        );
        assert_eq!((with.present(), with.slots()), (2, 3));
    }

    #[test]
    fn a_slip_of_the_keyboard_finds_what_was_meant() {
        let postings = postings(&["a thread", "the method"]);
        assert_eq!(scores(&postings, &words("mehtod")), scores(&postings, &words("method")));
        let mut gone = postings;
        gone.remove(1);
        assert_eq!(scores(&gone, &words("mehtod")), [0.0, 0.0]);
    }

    #[test]
    fn unknown_words_and_an_empty_space_score_nothing() {
        assert_eq!(scores(&postings(&["a"]), &words("x")), [0.0]);
        assert!(scores(&Postings::default(), &words("x")).is_empty());
    }
}
