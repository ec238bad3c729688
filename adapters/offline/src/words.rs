//! Words that carry meaning, and those that do not.

use crate::language::is_han;

/// English words that say nothing of what a text is about.
const STOP_WORDS: &[&str] = &[
    "a",
    "about",
    "after",
    "all",
    "also",
    "am",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "because",
    "been",
    "before",
    "being",
    "better",
    "between",
    "both",
    "but",
    "by",
    "can",
    "cant",
    "could",
    "did",
    "difference",
    "different",
    "do",
    "doe",
    "does",
    "doesnt",
    "doing",
    "don",
    "dont",
    "each",
    "every",
    "for",
    "from",
    "get",
    "give",
    "had",
    "happen",
    "happens",
    "has",
    "have",
    "having",
    "he",
    "her",
    "here",
    "him",
    "his",
    "how",
    "i",
    "if",
    "im",
    "in",
    "into",
    "is",
    "isnt",
    "it",
    "its",
    "itself",
    "just",
    "know",
    "let",
    "like",
    "ll",
    "make",
    "may",
    "me",
    "mean",
    "means",
    "might",
    "more",
    "most",
    "much",
    "must",
    "my",
    "need",
    "no",
    "not",
    "now",
    "of",
    "on",
    "one",
    "only",
    "or",
    "other",
    "our",
    "out",
    "over",
    "please",
    "re",
    "s",
    "same",
    "see",
    "shall",
    "she",
    "should",
    "so",
    "some",
    "such",
    "t",
    "tell",
    "than",
    "that",
    "thats",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "theyre",
    "thing",
    "things",
    "this",
    "those",
    "through",
    "to",
    "too",
    "up",
    "us",
    "use",
    "used",
    "using",
    "ve",
    "very",
    "want",
    "was",
    "way",
    "ways",
    "we",
    "were",
    "what",
    "whats",
    "when",
    "where",
    "which",
    "while",
    "who",
    "why",
    "will",
    "with",
    "wont",
    "would",
    "you",
    "your",
    "youre",
];

/// Han characters that mostly serve grammar. Those that are as common within nouns (有 能 要 中 对 过) are not here.
const FUNCTION_CHARACTERS: &str = "的了是在和与或就也都而及着吗呢吧啊呀么嘛哪那这它他她你我们您个之于以为被把让给跟请问很更最还又再已没不什怎何谁几";

/// Han words that say nothing of what a text is about.
const STOP_HAN: &[&str] = &[
    "一个", "一些", "不能", "不要", "什么", "他们", "但是", "使用", "例如", "可以", "因为", "如何", "如果",
    "它们", "应该", "怎么", "怎样", "我们", "所以", "所谓", "时候", "有什", "有哪", "有没", "没有", "然后",
    "而且", "能够", "还是", "这个", "这些", "这样", "那个", "那么", "那些", "需要",
];

/// Han words that only ask: an answer has others. Vectors count them, and must go on to: they are no stop words there.
const ASKING_HAN: &[&str] =
    &["不同", "东西", "事情", "几个", "区别", "含义", "多久", "多大", "多少", "多长", "差别", "意思"];

/// Whether a lower-cased Latin word says nothing of what a text is about.
pub(crate) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

/// Whether a Han character mostly serves grammar.
pub(crate) fn is_function_character(c: char) -> bool {
    FUNCTION_CHARACTERS.contains(c)
}

/// Whether two Han characters together say nothing of what a text is about.
pub(crate) fn is_stop_bigram(word: &str) -> bool {
    STOP_HAN.binary_search(&word).is_ok() || word.chars().all(is_function_character)
}

/// The parts of a run of Han characters between those words and characters that serve grammar, if they are words.
pub(crate) fn han_parts(run: &str) -> Vec<String> {
    content_parts(run).into_iter().filter(|part| part.chars().count() > 1).collect()
}

/// The same, single characters included.
pub(crate) fn content_parts(run: &str) -> Vec<String> {
    let without = STOP_HAN.iter().chain(ASKING_HAN).fold(run.to_owned(), |run, stop| run.replace(stop, " "));
    without
        .split(|c: char| c.is_whitespace() || is_function_character(c))
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A lower-cased English word without its commonest endings, so that `borrowing`, `borrowed` and `borrows` meet.
/// Cruder than a stemmer with exceptions, and the same for questions and passages, which is what counts.
pub(crate) fn stem(word: &str) -> &str {
    if !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word;
    }
    let shortened = ["ing", "ies", "ed", "es", "s"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending).filter(|rest| rest.len() >= 3 && !rest.ends_with('s')))
        .unwrap_or(word);
    shortened.strip_suffix(['e', 'y']).filter(|rest| rest.len() >= 3).unwrap_or(shortened)
}

/// The words of a text that an answer can be recognised by: stems of Latin words that mean something, Han bigrams,
/// and a Han character only where it stands alone.
pub(crate) fn telling_words(text: &str) -> Vec<String> {
    let words = chat_core::text::keywords(text);
    let of_bigrams: std::collections::HashSet<char> =
        words.iter().filter(|word| is_bigram(word)).flat_map(|word| word.chars()).collect();
    let mut telling: Vec<String> = words
        .iter()
        .filter_map(|word| match word.chars().next() {
            Some(first) if is_han(first) => is_telling_han(word, first, &of_bigrams).then(|| word.clone()),
            _ => (!is_stop_word(word)).then(|| stem(word).to_owned()),
        })
        .collect();
    telling.sort_unstable();
    telling.dedup();
    telling
}

fn is_bigram(word: &str) -> bool {
    word.chars().count() == 2 && word.chars().all(is_han)
}

fn is_telling_han(word: &str, first: char, of_bigrams: &std::collections::HashSet<char>) -> bool {
    if is_bigram(word) {
        return !is_stop_bigram(word) && !ASKING_HAN.contains(&word);
    }
    !is_function_character(first) && !of_bigrams.contains(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_for_the_search_in_it() {
        assert!(STOP_WORDS.is_sorted());
        assert!(is_stop_word("the") && is_stop_word("a") && is_stop_word("your") && !is_stop_word("trait"));
        assert!(STOP_HAN.is_sorted());
    }

    #[test]
    fn forms_of_a_word_meet() {
        for forms in [
            ["borrowing", "borrowed", "borrows"],
            ["closure", "closures", "closures"],
            ["types", "typed", "typing"],
        ] {
            assert_eq!(stem(forms[0]), stem(forms[1]));
            assert_eq!(stem(forms[1]), stem(forms[2]));
        }
        assert_eq!(stem("所有"), "所有");
        assert_eq!(stem("use"), "use");
    }

    #[test]
    fn runs_of_han_characters_fall_into_what_they_are_about() {
        assert_eq!(han_parts("为什么我们需要所有权和借用检查"), ["所有权", "借用检查"]);
    }

    #[test]
    fn telling_words_leave_grammar_out() {
        assert_eq!(telling_words("What are the traits?"), ["trait"]);
        let han = telling_words("什么是所有权");
        assert!(han.contains(&"有权".to_owned()), "{han:?}");
        assert!(!han.contains(&"什么".to_owned()), "{han:?}");
        assert!(!telling_words("有什么区别").contains(&"区别".to_owned()));
    }
}
