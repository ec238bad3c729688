//! A question that stands alone: one that refers back gets the telling words of what was asked before.

use crate::{
    language::is_han,
    words::{han_parts, is_stop_word, telling_words},
};
use chat_core::{Role, ports::Completion};

/// Words that refer to something said before.
const BACKWARD: &[&str] = &[
    "above", "he", "her", "him", "it", "its", "same", "she", "that", "them", "these", "they", "this", "those",
];
/// The same in Chinese.
const BACKWARD_HAN: &[&str] =
    &["它", "他", "她", "那", "这", "此", "其", "前面", "上面", "刚才", "继续", "呢"];
/// A question with fewer telling words than this hardly says what it is about.
const FEW: usize = 2;
/// The most words that are taken over.
const MOST: usize = 12;

/// The question, with what an earlier one was about if it needs that.
pub(crate) fn rewrite(completion: &Completion) -> String {
    let question = completion.question.trim();
    let earlier = earlier_question(completion);
    match earlier.map(|earlier| salient(&earlier, question)) {
        Some(words) if !words.is_empty() && needs_context(question) => {
            format!("{question} {}", words.join(" "))
        }
        _ => question.to_owned(),
    }
}

fn needs_context(question: &str) -> bool {
    let lower = question.to_lowercase();
    let refers = lower.split(|c: char| !c.is_alphanumeric()).any(|word| BACKWARD.contains(&word));
    refers || BACKWARD_HAN.iter().any(|word| question.contains(word)) || telling_words(question).len() < FEW
}

/// What the user said before this question: the prompt's last user message may be the question itself.
fn earlier_question(completion: &Completion) -> Option<String> {
    let mut said = completion.messages.iter().filter(|message| message.role == Role::User).rev().peekable();
    if said.peek().is_some_and(|last| last.content.contains(completion.question.trim())) {
        said.next();
    }
    said.next().map(|message| message.content.clone())
}

/// The words of a text that say what it is about and that the question lacks, in their order.
fn salient(text: &str, question: &str) -> Vec<String> {
    let question = question.to_lowercase();
    let mut words: Vec<String> = vec![];
    for run in runs(text) {
        let lower = run.to_lowercase();
        let new = !question.contains(&lower) && !words.iter().any(|known| known.to_lowercase() == lower);
        if new && words.len() < MOST {
            words.push(run);
        }
    }
    words
}

/// Latin words that mean something, and what runs of Han characters are about.
fn runs(text: &str) -> Vec<String> {
    let mut runs = vec![];
    let is_break = |c: char| !(c.is_alphanumeric() || c == '_' || c == '+' || c == '#');
    for part in text.split(is_break) {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|c| is_han(c) != is_han(first)).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            if is_han(first) {
                runs.extend(han_parts(run));
            } else if !is_stop_word(&run.to_lowercase()) {
                runs.push(run.to_owned());
            }
            rest = after;
        }
    }
    runs
}

#[cfg(test)]
mod tests;
