//! The sentences of a passage, without the marks of Markdown.

use crate::language::is_han;
use std::borrow::Cow;

mod marks;
mod split;

/// A sentence as it can be quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sentence {
    /// Its text, on one line.
    pub(crate) text: String,
    /// What it is read with: the heading above it, the question or announcement just before it, code just after it or,
    /// if it is the first, before it.
    pub(crate) beside: String,
    /// The list that it announces, with what stands between; empty if it announces none.
    pub(crate) list: String,
    /// The passage begins in the middle of it.
    pub(crate) is_cut: bool,
}

impl Sentence {
    /// Its text, and the list that it announces: alone it would promise what it does not say.
    pub(crate) fn whole(&self) -> Cow<'_, str> {
        if self.list.is_empty() {
            return Cow::Borrowed(&self.text);
        }
        let mut whole = self.text.clone();
        marks::append(&mut whole, &self.list);
        Cow::Owned(whole)
    }

    /// Whether it asks: alone it tells nothing.
    pub(crate) fn is_question(&self) -> bool {
        self.text.ends_with(['?', '？'])
    }

    /// Whether it needs what follows.
    fn is_opening(&self) -> bool {
        self.is_question() || self.text.ends_with([':', '：'])
    }

    /// Whether it is but a file's name, a flag or an address.
    pub(crate) fn is_name(&self) -> bool {
        self.text.is_ascii() && !self.text.contains(' ')
    }
}

/// The sentences of a passage, in order. `title` is the heading above its first ones. Comments, tables' rules and
/// pictures are left out; code only says what the sentence beside it is about, if there is one.
pub(crate) fn sentences(title: &str, passage: &str) -> Vec<Sentence> {
    let mut sentences: Vec<Sentence> = vec![];
    let mut heading = title.to_owned();
    let mut code_before = String::new();
    // Those that announce the list which follows, if one does: the last two sentences of a paragraph.
    let mut announcers = 0..0;
    for block in marks::blocks(passage) {
        match block {
            marks::Block::Heading(text) => (heading, announcers) = (text, 0..0),
            marks::Block::Text(text) => {
                let from = sentences.len();
                add(&mut sentences, &text, &heading);
                let to = sentences.len();
                let opens = sentences[from..].last().is_some_and(Sentence::is_opening);
                announcers = if opens { to.saturating_sub(2).max(from)..to } else { 0..0 };
            }
            marks::Block::Item(text) => {
                announce(&mut sentences[announcers.clone()], &text);
                add(&mut sentences, &text, &heading);
            }
            marks::Block::Code(code) => {
                announcers = 0..0;
                if let Some(before) = sentences.last_mut() {
                    before.beside.push('\n');
                    before.beside.push_str(&code);
                } else {
                    code_before.push_str(&code);
                }
            }
        }
    }
    if let Some(first) = sentences.first_mut() {
        first.is_cut = first.text.starts_with(char::is_lowercase) || first.text.starts_with(is_inner_mark);
        first.beside.push_str(&code_before);
    } else {
        sentences = lines_of(&code_before, &heading);
    }
    sentences
}

/// The sentences of a paragraph or an item.
fn add(sentences: &mut Vec<Sentence>, text: &str, heading: &str) {
    for text in split::split(text) {
        let sentence = read(text, heading, sentences.last());
        sentences.push(sentence);
    }
}

/// One more item of the list that the last of these sentences opens.
fn announce(sentences: &mut [Sentence], item: &str) {
    let opening = sentences.last().map(|opening| opening.text.clone()).unwrap_or_default();
    for (place, sentence) in sentences.iter_mut().rev().enumerate() {
        if sentence.list.is_empty() && place > 0 {
            sentence.list.clone_from(&opening);
        }
        let list = &mut sentence.list;
        if list.ends_with(char::is_alphanumeric) {
            list.push(if list.ends_with(is_han) { '；' } else { ';' });
        }
        marks::append(list, item);
    }
}

/// The lines of code, as code: where nothing else is said, they are what can be quoted.
fn lines_of(code: &str, heading: &str) -> Vec<Sentence> {
    let lines = code.lines().map(|line| line.trim().replace('`', "'"));
    let lines = lines.filter(|line| line.contains(char::is_alphanumeric));
    lines.map(|line| read(&format!("`{line}`"), heading, None)).collect()
}

fn read(text: &str, heading: &str, before: Option<&Sentence>) -> Sentence {
    let mut beside = heading.to_owned();
    if let Some(opening) = before.filter(|before| before.is_opening()) {
        beside.push('\n');
        beside.push_str(&opening.text);
    }
    Sentence { text: text.to_owned(), beside, list: String::new(), is_cut: false }
}

fn is_inner_mark(c: char) -> bool {
    matches!(c, ',' | '.' | ';' | ':' | ')' | '，' | '。' | '、' | '；' | '：' | '）' | '！' | '？')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(passage: &str) -> Vec<String> {
        sentences("", passage).into_iter().map(|sentence| sentence.text).collect()
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
        assert!(sentences("", passage).iter().all(|sentence| sentence.beside.starts_with("Ownership")));
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
        assert_eq!(texts(r"Take \[3\], Z\_DEFAULT and  this."), ["Take (3), Z_DEFAULT and this."]);
        assert_eq!(texts("Take v[0] and see [12]. 参见【3】。"), ["Take v(0) and see (12).", "参见(3)。"]);
    }

    #[test]
    fn a_beginning_in_mid_sentence_is_known() {
        assert!(sentences("", "of the value. Then more.")[0].is_cut);
        assert!(sentences("", "，然后结束。")[0].is_cut);
        assert!(!sentences("", "The value. Then more.")[0].is_cut);
    }

    #[test]
    fn comments_are_left_out_and_names_are_known() {
        let passage = "Before.\n<!-- cd listings/ch02\ntouch src/main.rs -->\nAfter it. <!-- x. --> More.\n\n\
                       [ch01.md](https://example.org)\n\n- `--release`\n\n<!-- no end.";
        assert_eq!(texts(passage), ["Before.", "After it.", "More.", "ch01.md", "`--release`"]);
        let names = sentences("", passage).into_iter().filter(Sentence::is_name);
        assert_eq!(
            names.map(|name| name.text).collect::<Vec<_>>(),
            ["Before.", "More.", "ch01.md", "`--release`"]
        );
    }

    #[test]
    fn a_sentence_is_read_with_what_stands_beside_it() {
        let passage = "Intro.\n\n# FAQ\n\n为什么会老？火太大。\n\nCall it like this:\n\n```rust\nlargest(list)\n```\n\nDone.";
        let beside: Vec<_> =
            sentences("Guide", passage).into_iter().map(|sentence| sentence.beside).collect();
        let with_code = "FAQ\nlargest(list)\n";
        assert_eq!(beside, ["Guide", "FAQ", "FAQ\n为什么会老？", with_code, "FAQ\nCall it like this:"]);
        assert_eq!(sentences("", "```\nerror[E0382]\n```\nIt moved.")[0].beside, "error[E0382]\n");
    }

    #[test]
    fn a_sentence_that_announces_a_list_has_it() {
        let wholes = |passage: &str| -> Vec<String> {
            sentences("", passage).iter().map(|sentence| sentence.whole().into_owned()).collect()
        };
        assert_eq!(
            wholes(
                "先看规则。请记住这些：\n\n> 1. Rust 中每个值都有一个 **所有者**\n> 2. 只有一个所有者。\n\n完。"
            ),
            [
                "先看规则。请记住这些：Rust 中每个值都有一个 所有者；只有一个所有者。",
                "请记住这些：Rust 中每个值都有一个 所有者；只有一个所有者。",
                "Rust 中每个值都有一个 所有者",
                "只有一个所有者。",
                "完。"
            ]
        );
        let passage = "Far off. Bring two things:\n\n- a card\n- a form,\n  signed\n\nThat is all. Then:\n\n```\nx\n```\n\n- later";
        assert_eq!(wholes(passage)[1], "Bring two things: a card; a form, signed");
        assert_eq!(wholes(passage)[4..], ["That is all.", "Then:", "later"]);
        assert_eq!(wholes("# What to bring:\n\n- a card"), ["a card"]);
    }

    #[test]
    fn where_there_is_only_code_its_lines_are_quoted_as_code() {
        assert_eq!(texts("```\nthread panicked at v[3]\n\n}\n```\n"), ["`thread panicked at v[3]`"]);
    }

    #[test]
    fn nothing_but_marks_has_no_sentence() {
        assert!(texts("```\n---\n\n***\n").is_empty());
        assert!(texts("").is_empty());
    }
}
