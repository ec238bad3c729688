//! Code in a question stands somewhere as it is written there: `self: Box<Self>` is five common words to an index, and a
//! single place to a reader. Passages that have it literally are raised.

use super::Found;
use std::collections::BTreeSet;

/// What it counts that a passage has all of the question's code, compared with its own score.
const WEIGHT: f32 = 0.4;
/// The shortest code that tells anything, in characters.
const SHORTEST: usize = 3;

/// Raises passages that have the code of `query`, each by the share of it that they have; scores stay within 0..1.
pub(super) fn raise(query: &str, candidates: &mut [Found]) {
    let code = code(query);
    if code.is_empty() {
        return;
    }
    let shares: Vec<f32> = candidates.iter().map(|found| share(&code, &found.passage.chunk.text)).collect();
    if shares.iter().all(|share| *share == 0.0) {
        return;
    }
    for (found, share) in candidates.iter_mut().zip(shares) {
        found.score = (found.score + WEIGHT * share) / (1.0 + WEIGHT);
    }
}

fn share(code: &BTreeSet<&str>, text: &str) -> f32 {
    code.iter().filter(|piece| text.contains(**piece)).count() as f32 / code.len() as f32
}

/// What stands between backticks, and what else is written as only code is: letters joined by `::`, `_`, `<`, `&`...
fn code(query: &str) -> BTreeSet<&str> {
    let mut pieces = BTreeSet::new();
    for (at, part) in query.split('`').enumerate() {
        if at % 2 == 1 {
            pieces.insert(part.trim());
        } else {
            pieces.extend(part.split(|c: char| c.is_whitespace() || !c.is_ascii()).filter_map(token));
        }
    }
    pieces.retain(|piece| piece.chars().count() >= SHORTEST && piece.chars().any(is_sign));
    pieces
}

/// A word without the punctuation of the sentence around it.
fn token(word: &str) -> Option<&str> {
    let word = word.trim_matches(['.', ',', ';', ':', '?', '!', '"', '\'']).trim_start_matches('(');
    let word = if word.contains('(') { word } else { word.trim_end_matches(')') };
    word.contains(|c: char| c.is_ascii_alphanumeric()).then_some(word)
}

/// What joins words in code, and hardly in prose.
fn is_sign(c: char) -> bool {
    matches!(c, ':' | '_' | '<' | '>' | '&' | '#' | '(' | '[' | '{' | '=' | '*' | '$' | '@' | '!' | '|')
}

#[cfg(test)]
mod tests {
    use super::{super::diversity::tests::found, *};
    use chat_core::DocumentId;

    fn codes(query: &str) -> Vec<&str> {
        code(query).into_iter().collect()
    }

    #[test]
    fn finds_the_code_in_a_question() {
        assert_eq!(codes("方法签名里的 `self: Box<Self>` 是什么意思"), ["self: Box<Self>"]);
        assert_eq!(codes("String 和 &str 有什么区别？"), ["&str"]);
        assert_eq!(codes("Rc::clone和.clone()的区别"), ["Rc::clone", "clone()"]);
        assert_eq!(codes("What does #[derive(Debug)] do?"), ["#[derive(Debug)]"]);
        assert_eq!(codes("what does MAX_UPLOAD_SIZE limit (in bytes)?"), ["MAX_UPLOAD_SIZE"]);
    }

    #[test]
    fn prose_has_none() {
        for prose in [
            "What does a library card cost?",
            "差旅报销：怎么办理？",
            "is it 3.50 (per day)?",
            "e-mail",
            "`",
            "``",
            "`if`",
        ] {
            assert_eq!(codes(prose), Vec::<&str>::new(), "{prose}");
        }
    }

    #[test]
    fn who_has_it_goes_first() {
        let mut candidates = [found(DocumentId::new(), 0, 0, 9, 0.8), found(DocumentId::new(), 0, 0, 9, 0.7)];
        candidates[1].passage.chunk.text = "它获取 `self: Box<Self>` 的所有权".into();
        raise("`self: Box<Self>` 是什么意思", &mut candidates);
        assert!(candidates[1].score > candidates[0].score);
        assert!(candidates.iter().all(|found| (0.0..=1.0).contains(&found.score)));
    }

    #[test]
    fn code_that_nobody_has_changes_nothing() {
        let mut candidates = [found(DocumentId::new(), 0, 0, 9, 0.8)];
        raise("`std::nowhere`", &mut candidates);
        assert!((candidates[0].score - 0.8).abs() < f32::EPSILON);
    }
}
