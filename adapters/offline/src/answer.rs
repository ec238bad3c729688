//! An answer made of quotations: the sentences of the passages that fit the question best.

use crate::{
    coverage::Topic,
    language::{Language, is_han},
    sentences::{Sentence, sentences},
    words::telling_words,
};
use chat_core::{
    ports::{Completion, PromptPassage},
    text::corrected,
};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

/// How many sentences an answer quotes at most.
const MOST: usize = 4;
/// How many of the best passages it quotes even if a sentence of another fits better.
const LEADING: usize = 3;
/// How well, compared with the best, a sentence must fit to be quoted beyond the least number.
const WORTHY: f32 = 0.5;
/// What a word beside the sentence (its heading, its code) counts, compared with one in it.
const BESIDE: f32 = 0.6;
/// What is left of the fit of a sentence that only asks.
const ASKING: f32 = 0.5;
/// How much of a sentence's words may have been quoted before.
const REPEATED: f32 = 0.7;
/// The longest quotation, in characters.
const LONGEST: usize = 400;

/// The answer's text.
pub(crate) fn answer(completion: &Completion) -> String {
    let language = Language::of(&completion.question);
    let quotes = choose(&completion.question, &completion.passages);
    if quotes.is_empty() {
        return nothing_found(language).to_owned();
    }
    let (opening, [open, close]) = match language {
        Language::English => (
            "No language model is configured, so this is not a written answer: these are the most relevant passages of your documents.",
            ["“", "”"],
        ),
        Language::Chinese => {
            ("当前没有配置语言模型，无法组织回答，以下是文档中与问题最相关的原文：", ["「", "」"])
        }
    };
    let mut text = opening.to_owned();
    for quote in quotes {
        let words = shortened(&quote.sentence.whole());
        let number = quote.index;
        text.extend(["\n\n- ", open, &words, close, &format!(" [{number}]")]);
    }
    text
}

fn nothing_found(language: Language) -> &'static str {
    match language {
        Language::English => {
            "Nothing about this was found in your documents. (No language model is configured: answers are quotations from documents.)"
        }
        Language::Chinese => "在文档中没有找到相关内容。（当前没有配置语言模型，回答只能引用文档原文。）",
    }
}

struct Quote {
    index: u32,
    sentence: Sentence,
    words: HashSet<String>,
    /// The words beside it.
    beside: HashSet<String>,
    score: f32,
}

impl Quote {
    /// Whether it has a word, or stands beside it. A lone Han character may be part of any word.
    fn has(&self, word: &str) -> bool {
        let part = || word.chars().count() == 1 && word.starts_with(is_han);
        self.words.contains(word)
            || self.beside.contains(word)
            || (part() && self.words.iter().chain(&self.beside).any(|other| other.contains(word)))
    }
}

/// The sentences to quote, best first; none if no passage is about the question.
fn choose(question: &str, passages: &[PromptPassage]) -> Vec<Quote> {
    let mut candidates = candidates(passages);
    if !is_answered(question, passages, &candidates) {
        return vec![];
    }
    let asked = meant(&telling_words(question), &candidates);
    let rarity = rarity(&asked, &candidates);
    let relevance: HashMap<u32, f32> =
        passages.iter().map(|passage| (passage.index, passage.score)).collect();
    for quote in &mut candidates {
        quote.score = fit(quote, &rarity) * (1.0 + relevance.get(&quote.index).copied().unwrap_or(0.0));
    }
    // Stable: of equals, the one of the better passage, and the earlier one.
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let best = candidates.first().map_or(0.0, |quote| quote.score);
    let leading = leading(passages);
    let mut chosen: Vec<Quote> = vec![];
    // The search knows more of relevance than the words of a sentence: each of the best passages has its say.
    for (own, quote) in candidates.into_iter().map(|quote| (leading.contains(&quote.index), quote)) {
        let first_of_leading = own && !chosen.iter().any(|earlier| earlier.index == quote.index);
        let said = leading.iter().filter(|index| chosen.iter().any(|quote| quote.index == **index)).count();
        let extra = chosen.len() - said;
        let room = first_of_leading || extra + leading.len() < MOST && quote.score >= WORTHY * best;
        if room && chosen.len() < MOST && !chosen.iter().any(|earlier| repeats(&quote, earlier)) {
            chosen.push(quote);
        }
    }
    if best > 0.0 {
        chosen.retain(|quote| quote.score > 0.0);
    }
    chosen
}

/// The numbers of the best passages.
fn leading(passages: &[PromptPassage]) -> Vec<u32> {
    passages.iter().take(LEADING).map(|passage| passage.index).collect()
}

/// Every sentence of every passage once; neighbouring passages overlap.
fn candidates(passages: &[PromptPassage]) -> Vec<Quote> {
    let mut seen = HashSet::new();
    let mut candidates = vec![];
    for passage in passages {
        let heading = passage.title.rsplit('›').next().unwrap_or("").trim();
        for sentence in sentences(heading, &passage.text).into_iter().filter(|sentence| !sentence.is_name()) {
            if seen.insert(sentence.text.clone()) {
                let words = telling_words(&sentence.text).into_iter().collect();
                let beside = telling_words(&sentence.beside).into_iter().collect();
                candidates.push(Quote { index: passage.index, sentence, words, beside, score: 0.0 });
            }
        }
    }
    candidates
}

/// How many sentences have a word, or stand beside it.
fn having(candidates: &[Quote]) -> impl Fn(&str) -> usize {
    |word| candidates.iter().filter(|quote| quote.has(word)).count()
}

/// The question's words; what no passage has but nearly is taken for that.
fn meant(question: &[String], candidates: &[Quote]) -> Vec<String> {
    corrected(question, having(candidates)).into_iter().map(Cow::into_owned).collect()
}

/// Whether some passage is about the question.
///
/// Measured on the questions of `tests/data` (`tests/tests/flow/quality.rs`): of 275 that two books answer, at
/// least two are refused whose chapter the search had found; of 90 about anything else 69 are refused.
fn is_answered(question: &str, passages: &[PromptPassage], candidates: &[Quote]) -> bool {
    if telling_words(question).is_empty() {
        return false; // it asks about nothing
    }
    let topic = Topic::of(question, having(candidates));
    passages.iter().any(|passage| {
        let title = telling_words(&passage.title);
        let said =
            |word: &str| candidates.iter().any(|quote| quote.index == passage.index && quote.has(word));
        topic.is_covered(|word| said(word) || title.iter().any(|other| other == word))
    })
}

/// How much each of the question's words tells: the fewer sentences have it, the more.
fn rarity(question: &[String], candidates: &[Quote]) -> HashMap<String, f32> {
    let all = candidates.len() as f32;
    let frequency =
        |word: &String| candidates.iter().filter(|quote| quote.words.contains(word)).count() as f32;
    question.iter().map(|word| (word.clone(), (1.0 + all / (1.0 + frequency(word))).ln())).collect()
}

/// How well a sentence fits: the rarity of the question's words that it has, or what stands beside it. A fragment, a
/// question, and what is too short to say anything, fit less.
fn fit(quote: &Quote, rarity: &HashMap<String, f32>) -> f32 {
    let overlap: f32 = rarity
        .iter()
        .map(|(word, rarity)| match (quote.words.contains(word), quote.beside.contains(word)) {
            (true, _) => *rarity,
            (false, true) => BESIDE * rarity,
            (false, false) => 0.0,
        })
        .fold(Sum::default(), Sum::add)
        .total();
    let wholeness = if quote.sentence.is_cut { 0.5 } else { 1.0 };
    let saying = if quote.sentence.is_question() { ASKING } else { 1.0 };
    let length = quote.words.len() as f32;
    // Long sentences have more words of any kind; very short ones say little.
    overlap * wholeness * saying * (length / (length + 3.0)) / (1.0 + length / 60.0)
}

/// A sum that does not depend on the order of a hash map: whole steps of a thousandth.
#[derive(Default)]
struct Sum(u64);

impl Sum {
    fn add(self, value: f32) -> Self {
        Self(self.0 + (f64::from(value) * 1_000.0).round() as u64)
    }

    fn total(&self) -> f32 {
        self.0 as f32 / 1_000.0
    }
}

/// Whether it says what was quoted: most of its words, an item of a list that was, or the list of an item that was.
fn repeats(quote: &Quote, earlier: &Quote) -> bool {
    let lists = |one: &Quote, other: &Quote| one.sentence.list.contains(&other.sentence.text);
    if lists(earlier, quote) || lists(quote, earlier) {
        return true;
    }
    let shared = quote.words.intersection(&earlier.words).count() as f32;
    shared > REPEATED * quote.words.len() as f32
}

/// A quotation that is not too long, cut between words.
fn shortened(text: &str) -> String {
    let Some((limit, _)) = text.char_indices().nth(LONGEST) else { return text.to_owned() };
    let kept = &text[..limit];
    let end = kept.rfind(|c: char| c.is_whitespace() || is_han(c) || "，、,;；".contains(c)).unwrap_or(limit);
    format!("{}…", kept[..end].trim_end())
}

#[cfg(test)]
mod tests;
