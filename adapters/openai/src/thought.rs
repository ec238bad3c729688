//! Parts what a model thinks aloud from what it answers.
//!
//! Reasoning models write `<think>…</think>` before their answer. Many servers part it into a field of its own; others
//! send it as the answer's text.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Where in an answer its stream is. Only what an answer begins with, after white space, is a thought.
#[derive(Debug)]
pub(crate) enum Thought {
    /// Nothing but white space and a part of the tag so far: it is kept back.
    Before(String),
    /// In the thought; what may be the beginning of its end is kept back.
    Within(String),
    /// After the thought; its answer has not begun.
    Behind,
    /// In the answer.
    Over,
}

impl Default for Thought {
    fn default() -> Self {
        Self::Before(String::new())
    }
}

impl Thought {
    /// What a piece adds to the thought, and to the answer.
    pub(crate) fn part(&mut self, piece: String) -> (String, String) {
        let (mut thought, mut rest) = (String::new(), piece);
        loop {
            match self {
                Self::Before(kept) => {
                    kept.push_str(&rest);
                    rest = std::mem::take(kept);
                    let begun = rest.trim_start();
                    if let Some(inner) = begun.strip_prefix(OPEN) {
                        rest.drain(..rest.len() - inner.len());
                        *self = Self::Within(String::new());
                    } else if OPEN.starts_with(begun) {
                        *self = Self::Before(rest);
                        return (thought, String::new());
                    } else {
                        *self = Self::Over;
                    }
                }
                Self::Within(kept) => {
                    kept.push_str(&rest);
                    rest = std::mem::take(kept);
                    if let Some((inner, after)) = rest.split_once(CLOSE) {
                        thought.push_str(inner);
                        rest.drain(..rest.len() - after.len());
                        *self = Self::Behind;
                    } else {
                        let tail = rest.split_off(rest.len() - unfinished(&rest));
                        *self = Self::Within(tail);
                        return (thought + &rest, String::new());
                    }
                }
                Self::Behind => {
                    rest.drain(..rest.len() - rest.trim_start().len());
                    if !rest.is_empty() {
                        *self = Self::Over;
                    }
                    return (thought, rest);
                }
                Self::Over => return (thought, rest),
            }
        }
    }

    /// What was kept back of an answer that is over.
    pub(crate) fn rest(&mut self) -> String {
        match std::mem::replace(self, Self::Over) {
            Self::Before(kept) => kept,
            _ => String::new(),
        }
    }
}

/// How many bytes at the end may be the beginning of the tag.
fn unfinished(text: &str) -> usize {
    (1..CLOSE.len()).rev().find(|length| text.ends_with(&CLOSE[..*length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The thought and the answer of a text that comes in pieces of so many characters.
    fn parted(text: &str, length: usize) -> (String, String) {
        let (mut thought, mut said, mut state) = (String::new(), String::new(), Thought::default());
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(length) {
            let (thinks, says) = state.part(piece.iter().collect());
            thought += &thinks;
            said += &says;
        }
        (thought, said + &state.rest())
    }

    #[test]
    fn a_thought_before_the_answer_is_parted_from_it_wherever_it_is_cut() {
        for (text, thought, said) in [
            ("<think>\n先想想\n</think>\n\n答案是 6。", "\n先想想\n", "答案是 6。"),
            ("\n<think>a < b </thin k></think>c", "a < b </thin k>", "c"),
            ("<think></think>", "", ""),
            ("<think>never ends </thi", "never ends ", ""),
            ("no <think>thought</think>", "", "no <think>thought</think>"),
            ("<thinking>", "", "<thinking>"),
            ("<thin", "", "<thin"),
            ("  6 bar </think>", "", "  6 bar </think>"),
            ("", "", ""),
        ] {
            for length in 1..=text.chars().count().max(1) {
                assert_eq!(
                    parted(text, length),
                    (thought.to_owned(), said.to_owned()),
                    "{text:?} by {length}"
                );
            }
        }
    }
}
