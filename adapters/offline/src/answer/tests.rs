use super::*;
use crate::llm::tests::completion;
use chat_core::ports::Purpose;

fn answered(question: &str, passages: &[(&str, &str)]) -> String {
    answer(&completion(Purpose::Answer, question, passages))
}

const OWNERSHIP: &str = "## What Is Ownership?\n\nOwnership is a set of rules that govern how a Rust program manages memory. \
    All programs have to manage the way they use a computer's memory while running.";
const RULES: &str = "Each value in Rust has an *owner*. There can only be one owner at a time. \
    When the owner goes out of scope, the value will be dropped.";
const THREADS: &str = "Threads run code at the same time. The sun is bright today.";

#[test]
fn quotes_what_fits_with_its_passage() {
    let text = answered("What is ownership?", &[("threads.md", THREADS), ("ch04.md › Ownership", OWNERSHIP)]);
    assert!(text.contains("No language model is configured"), "{text}");
    assert!(
        text.contains("“Ownership is a set of rules that govern how a Rust program manages memory.” [2]"),
        "{text}"
    );
    assert!(!text.contains("sun"), "{text}");
}

#[test]
fn forms_of_a_word_match() {
    let text = answered("Which owners may a value have?", &[("a.md", THREADS), ("b.md", RULES)]);
    assert!(text.contains("“Each value in Rust has an owner.” [2]"), "{text}");
}

#[test]
fn answers_in_the_language_of_the_question() {
    let passage = "所有权是一组规则。编译器在编译时检查这些规则。今天天气很好。";
    let text = answered("什么是所有权？", &[("ch04.md", passage)]);
    assert!(text.starts_with("当前没有配置语言模型"), "{text}");
    assert!(text.contains("「所有权是一组规则。」 [1]"), "{text}");
    let text = answered("What is 所有权?", &[("ch04.md", passage)]);
    assert!(text.contains("“所有权是一组规则。” [1]"), "{text}");
}

#[test]
fn says_plainly_that_nothing_was_found() {
    for passages in [&[][..], &[("empty.md", "```\ncode\n```")]] {
        assert!(answered("What is ownership?", passages).contains("Nothing about this was found"));
        assert!(answered("什么是所有权？", passages).contains("没有找到"));
    }
}

#[test]
fn what_no_passage_is_about_is_not_answered_from_it() {
    let passages =
        [("policy.md", "Module names with capital letters are not allowed."), ("ch04.md", OWNERSHIP)];
    for question in
        ["Who painted the Mona Lisa?", "Which letters did Napoleon write to Josephine?", "法国的首都是哪里？"]
    {
        let text = answered(question, &passages);
        assert!(!text.contains("[1]") && !text.contains("[2]"), "{question}: {text}");
    }
    assert!(answered("Are capital letters allowed in names?", &passages).contains("[1]"));
}

#[test]
fn a_slip_of_the_keyboard_is_read_as_what_was_meant() {
    let text = answered("what is onwership of memroy", &[("threads.md", THREADS), ("ch04.md", OWNERSHIP)]);
    assert!(text.contains("“Ownership is a set of rules"), "{text}");
}

#[test]
fn the_answer_below_a_question_is_quoted_not_the_question() {
    let passage = "### 为什么炒鸡蛋会老？\n\n火太大或者炒得太久。\n\n为什么鸡蛋会散？蛋液没有凝固。";
    let text = answered("炒鸡蛋为什么会老", &[("菜谱.md", passage)]);
    assert!(text.contains("- 「火太大或者炒得太久。」"), "{text}");
}

#[test]
fn a_list_is_quoted_with_what_announces_it() {
    let passage = "首先，让我们看一下所有权的规则。请谨记这些规则：\n\n> 1. 每一个值都有一个 **所有者**。\n\
                   > 2. 值在任一时刻有且只有一个所有者。\n\n今天天气很好。";
    let text = answered("所有权规则有哪些？", &[("ch04.md", passage)]);
    let list = "请谨记这些规则：每一个值都有一个 所有者。值在任一时刻有且只有一个所有者。」 [1]";
    assert!(text.contains(list), "{text}");
    assert_eq!(text.matches("有且只有一个所有者").count(), 1, "{text}");
}

#[test]
fn code_says_what_the_sentence_before_it_is_about() {
    let passage = "The sky is blue on most days of the year. Then the compiler refuses the program with this:\n\n\
                   ```text\nerror: missing lifetime specifier\n```\n\nThe grass is green on most days.";
    let text = answered("missing lifetime specifier 是什么意思", &[("ch05.md", passage)]);
    assert!(
        text.contains("“Then the compiler refuses") || text.contains("「Then the compiler refuses"),
        "{text}"
    );
}

#[test]
fn what_overlapping_passages_share_is_quoted_once() {
    let text = answered("What is ownership?", &[("a.md", OWNERSHIP), ("b.md", OWNERSHIP)]);
    assert_eq!(text.matches("set of rules").count(), 1, "{text}");
    assert!(text.contains("[1]") && !text.contains("[2]"), "{text}");
}

#[test]
fn quotes_between_one_and_four_sentences() {
    let many: Vec<String> =
        (0..50).map(|n| format!("Ownership number {n} concerns topic{n} and value{n}.")).collect();
    let text = answered("ownership", &[("a.md", &many.join(" "))]);
    assert!((1..=MOST).contains(&text.matches("\n- ").count()), "{text}");
    let one = answered("What is ownership?", &[("a.md", "Ownership is a set of rules.")]);
    assert_eq!(one.matches("\n- ").count(), 1);
}

#[test]
fn a_heading_that_fits_lends_weight_to_what_is_below() {
    let passage = "# Refunds\n\nWe pay within thirty days.\n\n# Shipping\n\nParcels leave within two days.";
    let text = answered("refunds", &[("faq.md", passage)]);
    assert!(text.contains("thirty") && !text.contains("Parcels"), "{text}");
}

#[test]
fn a_sentence_without_end_is_cut_between_words() {
    let text = answered("word", &[("a.md", &"word ".repeat(1_000))]);
    assert!(text.chars().count() < LONGEST + 200 && text.contains("word…”"), "{text}");
    let text = answered("词", &[("a.md", &"词语".repeat(1_000))]);
    assert!(text.chars().count() < LONGEST + 200 && text.contains('…'), "{text}");
}
