//! Which language to answer in.

/// Whether a character is a Han character.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' | '々' | '〇')
}

/// Whether it is a word that only an English question has.
fn is_english_grammar(word: &str) -> bool {
    const WORDS: &[&str] =
        &["are", "can", "do", "does", "how", "is", "of", "the", "what", "when", "where", "which", "why"];
    WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// A language that the answerer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

impl Language {
    /// Chinese if the text has at least as many Han characters as other words, of which those of English grammar count
    /// twice: `Box<T> 是什么` is Chinese, "What is 所有权?" is not.
    pub(crate) fn of(text: &str) -> Self {
        let han = text.chars().filter(|c| is_han(*c)).count();
        let words = text.split(|c: char| !c.is_alphanumeric() || is_han(c)).filter(|word| !word.is_empty());
        let words: usize = words.map(|word| if is_english_grammar(word) { 2 } else { 1 }).sum();
        if han > 0 && han >= words { Self::Chinese } else { Self::English }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_majority_decides() {
        for chinese in ["什么是所有权？", "Box<T> 是什么", "用 cargo 怎么新建项目", "if let 是什么"]
        {
            assert_eq!(Language::of(chinese), Language::Chinese, "{chinese}");
        }
        for english in ["What does 所有权 mean in Rust?", "What is 所有权?", "", "42", "ownership"] {
            assert_eq!(Language::of(english), Language::English, "{english}");
        }
    }
}
