//! The sentences of a passage, without the marks of Markdown.

mod marks;
mod split;

/// A sentence as it can be quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sentence {
    /// Its text, on one line.
    pub(crate) text: String,
    /// The heading above it, empty if there is none.
    pub(crate) heading: String,
    /// The passage begins in the middle of it.
    pub(crate) is_cut: bool,
}

/// The sentences of a passage, in order. Code blocks, tables' rules and pictures are left out: they are no sentences.
pub(crate) fn sentences(passage: &str) -> Vec<Sentence> {
    let mut sentences: Vec<Sentence> = vec![];
    let mut heading = String::new();
    for block in marks::blocks(passage) {
        match block {
            marks::Block::Heading(text) => heading = text,
            marks::Block::Text(text) => sentences.extend(split::split(&text).into_iter().map(|sentence| {
                Sentence { text: sentence.to_owned(), heading: heading.clone(), is_cut: false }
            })),
        }
    }
    if let Some(first) = sentences.first_mut() {
        first.is_cut = first.text.starts_with(char::is_lowercase) || first.text.starts_with(is_inner_mark);
    }
    sentences
}

fn is_inner_mark(c: char) -> bool {
    matches!(c, ',' | '.' | ';' | ':' | ')' | '，' | '。' | '、' | '；' | '：' | '）' | '！' | '？')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(passage: &str) -> Vec<String> {
        sentences(passage).into_iter().map(|sentence| sentence.text).collect()
    }

    #[test]
    fn markdown_is_read_and_not_quoted() {
        let passage = "# Ownership\n\nEach *value* has an\n**owner**. See [the book](https://example.org).\n\n```rust\nlet a = 1;\n```\n\n\
                       - first item\n- second item\n\n| a | b |\n|---|---|\n| one | two |\n\n> Quoted\n> words.\n\n![picture](x.png)\n<hr>";
        assert_eq!(
            texts(passage),
            [
                "Each value has an owner.",
                "See the book.",
                "first item",
                "second item",
                "a, b",
                "one, two",
                "Quoted words."
            ]
        );
        assert!(sentences(passage).iter().all(|sentence| sentence.heading == "Ownership"));
    }

    #[test]
    fn a_wrapped_line_that_begins_with_a_number_is_no_item() {
        assert_eq!(texts("Values up to\n255. More of them."), ["Values up to 255.", "More of them."]);
        assert_eq!(texts("1. one\n2. two\n   more\n10) ten"), ["one", "two more", "ten"]);
    }

    #[test]
    fn code_within_a_sentence_stays_as_it_is() {
        assert_eq!(
            texts("Call `__init__` with `*x` of `Vec<a>`, that is 2 * 3."),
            ["Call `__init__` with `*x` of `Vec<a>`, that is 2 * 3."]
        );
        assert_eq!(texts("The letter _Ze_, (*not* snake_case)."), ["The letter Ze, (not snake_case)."]);
    }

    #[test]
    fn han_sentences_end_at_their_own_marks() {
        assert_eq!(
            texts("所有权是规则。编译器检查它！\n对吗？“是的。”他说\n完"),
            ["所有权是规则。", "编译器检查它！", "对吗？", "“是的。”", "他说完"]
        );
    }

    #[test]
    fn numbers_and_abbreviations_do_not_end_a_sentence() {
        assert_eq!(
            texts("Version 1.95 is out, e.g. for Linux. Get it."),
            ["Version 1.95 is out, e.g. for Linux.", "Get it."]
        );
    }

    #[test]
    fn numbers_in_brackets_cannot_be_taken_for_citations() {
        assert_eq!(texts("Take v[0] and see [12]. 参见【3】。"), ["Take v(0) and see (12).", "参见(3)。"]);
    }

    #[test]
    fn a_beginning_in_mid_sentence_is_known() {
        assert!(sentences("of the value. Then more.")[0].is_cut);
        assert!(sentences("，然后结束。")[0].is_cut);
        assert!(!sentences("The value. Then more.")[0].is_cut);
    }

    #[test]
    fn nothing_but_marks_has_no_sentence() {
        assert!(texts("```\ncode\n```\n---\n\n***\n").is_empty());
        assert!(texts("").is_empty());
    }
}
