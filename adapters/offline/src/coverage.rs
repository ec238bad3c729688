//! How much of a question a passage speaks of.
//!
//! A search always finds something, so what it found need not be about the question. A Latin word counts as two Han
//! characters. Of those a passage covers the ones that stand in a pair that it has: which pairs are words nobody knows
//! without a dictionary, and `假有` of `年假有几天` is none.

use crate::{
    language::is_han,
    words::{content_parts, telling_words},
};
use chat_core::text::corrected;
use std::borrow::Cow;

/// What a Latin word counts.
const WORD: usize = 2;
/// Covering less than this is chance, unless it is most of the question: one word, or three Han characters.
const BY_CHANCE: usize = 3;
/// A passage that covers more than one part in so many is about the question.
const SHARE: usize = 3;

/// What a question is about.
pub(crate) struct Topic {
    words: Vec<String>,
    runs: Vec<Vec<char>>,
}

impl Topic {
    /// Of a question. `having` says how many sentences have a word: one that none has but nearly is taken for that.
    pub(crate) fn of(question: &str, having: impl Fn(&str) -> usize) -> Self {
        let latin = telling_words(question).into_iter().filter(|word| !word.starts_with(is_han));
        let words = corrected(&latin.collect::<Vec<_>>(), having).into_iter().map(Cow::into_owned).collect();
        let runs = question.split(|c| !is_han(c)).flat_map(content_parts);
        Self { words, runs: runs.map(|run| run.chars().collect()).collect() }
    }

    /// Whether what has such words is about it. A question without a telling word leaves that to the search.
    pub(crate) fn is_covered(&self, has: impl Fn(&str) -> bool) -> bool {
        let all = self.words.len() * WORD + self.runs.iter().map(Vec::len).sum::<usize>();
        let words = self.words.iter().filter(|word| has(word)).count() * WORD;
        let covered = words + self.runs.iter().map(|run| covered(run, &has)).sum::<usize>();
        all == 0 || covered > BY_CHANCE || covered * SHARE > all
    }
}

/// How many characters of a run stand in a pair that is there.
fn covered(run: &[char], has: impl Fn(&str) -> bool) -> usize {
    if let [lone] = run {
        return usize::from(has(&lone.to_string()));
    }
    let pairs: Vec<bool> = run.windows(2).map(|pair| has(&pair.iter().collect::<String>())).collect();
    let is_there = |pair: Option<usize>| pair.and_then(|pair| pairs.get(pair)).is_some_and(|there| *there);
    (0..run.len()).filter(|at| is_there(Some(*at)) || is_there(at.checked_sub(1))).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_about(question: &str, passage: &str) -> bool {
        let words = telling_words(passage);
        let having = |word: &str| words.iter().filter(|known| *known == word).count();
        Topic::of(question, having).is_covered(|word| having(word) > 0)
    }

    #[test]
    fn one_word_of_many_is_chance() {
        let passage = "The capital letters of a module's name. 员工可以申请年假十天";
        for question in ["Who wrote these letters to Napoleon?", "如何申请美国签证？", "法国的首都是哪里？"]
        {
            assert!(!is_about(question, passage), "{question}");
        }
        for question in
            ["letters", "Which letters does the name have?", "the nmae of a modul", "年假有多少天？", ""]
        {
            assert!(is_about(question, passage), "{question}");
        }
    }

    #[test]
    fn many_words_need_not_all_be_there() {
        let passage = "The borrow checker compares scopes of references. 借用检查器比较引用的作用域";
        assert!(is_about(
            "I moved my code into a function and now everything is red: which scopes does the checker compare?",
            passage
        ));
        assert!(is_about("我把代码移到函数里以后到处报错，检查器到底在比较什么？", passage));
    }
}
