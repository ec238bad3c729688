//! Words of a question that no passage has, but nearly.
//!
//! A word that no passage has cannot find anything. If it is one slip of the keyboard away from a word that passages
//! do have, it is taken for that word: a letter too many, one missing, one wrong, or two that changed places (F. J.
//! Damerau, "A technique for computer detection and correction of spelling errors", 1964, found that four of five
//! misspellings are one of these). Every word at that distance is tried, as Norvig does it
//! (<https://norvig.com/spell-correct.html>), about 600 for one of 11 letters, so whoever knows the passages' words need
//! not be able to list them.

use std::{borrow::Cow, collections::BTreeSet};

/// Shorter words are one slip away from too many others.
const SHORTEST: usize = 5;
/// The longest word that is looked at, in bytes: longer ones are seldom typed.
const LONGEST: usize = 24;
/// How many words of a question are mended: one with more is not misspelt but about something else.
pub const MOST_MENDED: usize = 8;

/// The words, those that no passage has replaced by the commonest one a slip away; what has none stays, and so does
/// what is not of plain lower-case letters. `having` says how many passages, or other units, have a word.
pub fn corrected(words: &[String], having: impl Fn(&str) -> usize) -> Vec<Cow<'_, str>> {
    let mut left = MOST_MENDED;
    let mut meant: Vec<Cow<str>> = Vec::with_capacity(words.len());
    for word in words {
        let mended = if left > 0 && may_be_misspelt(word) && having(word) == 0 {
            left -= 1;
            nearest(word, &having)
        } else {
            None
        };
        match mended {
            // It may be there already, spelt well.
            Some(mended) if words.contains(&mended) || meant.iter().any(|known| *known == mended) => {}
            Some(mended) => meant.push(Cow::Owned(mended)),
            None => meant.push(Cow::Borrowed(word)),
        }
    }
    meant
}

/// Those of the words that `corrected` would look at, if nothing has them.
pub fn suspects(words: &[String]) -> impl Iterator<Item = &String> {
    words.iter().filter(|word| may_be_misspelt(word))
}

/// The words that may have been meant by one that nothing has, each once: for who asks for many at a time.
pub fn alternatives(word: &str) -> BTreeSet<String> {
    let mut meant = BTreeSet::new();
    slips(word, |other| {
        meant.insert(other.to_owned());
    });
    meant
}

fn may_be_misspelt(word: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// The commonest word that is one slip away; of equals, the first in the alphabet.
fn nearest(word: &str, having: impl Fn(&str) -> usize) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    slips(word, |other| {
        let common = having(other);
        let better = best
            .as_ref()
            .is_none_or(|(most, known)| common > *most || (common == *most && other < known.as_str()));
        if common > 0 && better {
            best = Some((common, other.to_owned()));
        }
    });
    best.map(|(_, word)| word)
}

/// Every word that one slip makes of a word of ASCII letters. The first letter stays: it is seldom the wrong one.
fn slips(word: &str, mut each: impl FnMut(&str)) {
    let mut slipped = String::with_capacity(word.len() + 1);
    let mut of = |parts: [&str; 3]| {
        slipped.clear();
        slipped.extend(parts);
        each(&slipped);
    };
    let mut letter = [0; 1];
    for at in 1..=word.len() {
        let (before, after) = word.split_at(at);
        let without_next = after.get(1..);
        for c in 'a'..='z' {
            let c = &*c.encode_utf8(&mut letter);
            of([before, c, after]);
            if let Some(rest) = without_next {
                of([before, c, rest]);
            }
        }
        if let Some(rest) = without_next {
            of([before, rest, ""]);
        }
        if let (Some(first), Some(second), Some(rest)) = (after.get(..1), after.get(1..2), after.get(2..)) {
            of([before, second, &[first, rest].concat()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    /// What becomes of a question's words where passages have these.
    fn mended(question: &str, passages: &str) -> String {
        let known = words(passages);
        let having = |word: &str| known.iter().filter(|known| *known == word).count();
        corrected(&words(question), having).join(" ")
    }

    #[test]
    fn one_slip_is_mended_and_more_are_not() {
        for (typed, meant) in [
            ("thred", "thread"),
            ("mehtod", "method"),
            ("comand", "command"),
            ("argumint", "argument"),
            ("itterate", "iterate"),
            ("threadd", "thread"),
            ("threda", "thread"),
            ("mtehodd", "mtehodd"),
            ("hread", "hread"),
            ("线成", "线成"),
            ("thr3ad", "thr3ad"),
        ] {
            assert_eq!(mended(typed, "thread method command argument iterate 线程"), meant);
        }
    }

    #[test]
    fn what_passages_have_stays_and_counts_once() {
        assert_eq!(mended("sting string", "string string sting"), "sting string");
        assert_eq!(mended("strimg a string strinng", "string"), "a string");
        assert_eq!(mended("strimg strinng", "string"), "string");
    }

    #[test]
    fn the_commonest_is_meant() {
        assert_eq!(mended("strng", "sting string string"), "string");
        assert_eq!(mended("wordt", "words wordy"), "words");
    }

    #[test]
    fn alternatives_are_what_a_correction_looks_at() {
        let typed = words("thred mehtod 线程 run");
        let known = words("thread method");
        let asked: BTreeSet<_> = suspects(&typed).flat_map(|word| alternatives(word)).collect();
        assert_eq!(suspects(&typed).collect::<Vec<_>>(), ["thred", "mehtod"]);
        let having = |word: &str| {
            assert!(
                typed.iter().any(|typed| typed == word) || asked.contains(word),
                "{word} was not asked for"
            );
            known.iter().filter(|known| *known == word).count()
        };
        assert_eq!(corrected(&typed, having).join(" "), "thread method 线程 run");
    }

    #[test]
    fn only_so_many_words_are_looked_at() {
        let typed = "aaaaa bbbbb ccccc ddddd eeeee fffff ggggg hhhhh thred";
        assert_eq!(mended(typed, "thread"), typed);
    }
}
