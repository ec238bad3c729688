use super::*;
use crate::llm::tests::{completion, said};
use chat_core::ports::Purpose;

fn rewritten(question: &str, before: &[(Role, &str)]) -> String {
    let mut asked = completion(Purpose::Rewrite, question, &[]);
    asked.messages = said(before);
    asked.messages.extend(said(&[(Role::User, question)]));
    rewrite(&asked)
}

#[test]
fn a_question_that_refers_back_gets_what_it_refers_to() {
    let before = [(Role::User, "How does borrowing work in Rust?"), (Role::Assistant, "By references.")];
    assert_eq!(rewritten("Why is it needed?", &before), "Why is it needed? borrowing work Rust");
    assert_eq!(
        rewritten("它有什么限制？", &[(Role::User, "什么是 Rust 的所有权？")]),
        "它有什么限制？ Rust 所有权"
    );
    assert_eq!(rewritten("为什么？", &[(Role::User, "怎样共享互斥器？")]), "为什么？ 共享互斥器");
}

#[test]
fn a_question_that_stands_alone_stays_as_it_is() {
    let before = [(Role::User, "How does borrowing work in Rust?")];
    let question = "How do closures capture their environment?";
    assert_eq!(rewritten(question, &before), question);
    assert_eq!(rewritten("怎样在线程之间发送消息？", &before), "怎样在线程之间发送消息？");
}

#[test]
fn without_an_earlier_question_there_is_nothing_to_add() {
    assert_eq!(rewritten("Why is it needed?", &[]), "Why is it needed?");
    assert_eq!(rewritten(" 为什么？ ", &[(Role::System, "Rewrite the question.")]), "为什么？");
}

#[test]
fn words_that_are_there_already_are_not_repeated() {
    let before = [(Role::User, "What is a trait, what is a Trait object?")];
    assert_eq!(rewritten("Why is it a trait?", &before), "Why is it a trait? object");
}

#[test]
fn little_is_taken_over_from_a_long_message() {
    let long: Vec<String> = (0..500).map(|n| format!("word{n}")).collect();
    assert_eq!(rewritten("Why?", &[(Role::User, &long.join(" "))]).split(' ').count(), 1 + MOST);
}
