//! What earlier turns were about: the beginnings of what the user said.

use crate::{language::Language, sentences::sentences};
use chat_core::{Role, ports::Completion};

/// How many of the user's last messages are named.
const MOST: usize = 12;
/// How much of each is kept, in characters.
const LONGEST: usize = 120;

/// One line that names what was asked, oldest first; empty if nothing was.
pub(crate) fn summarise(completion: &Completion) -> String {
    let said: Vec<&str> = completion
        .messages
        .iter()
        .filter(|message| message.role == Role::User)
        .map(|message| message.content.as_str())
        .collect();
    let topics: Vec<String> =
        said[said.len().saturating_sub(MOST)..].iter().filter_map(|text| topic(text)).collect();
    if topics.is_empty() {
        return String::new();
    }
    match Language::of(&topics.concat()) {
        Language::English => format!("Asked so far: {}", topics.join(" · ")),
        Language::Chinese => format!("此前问过：{}", topics.join(" · ")),
    }
}

fn topic(message: &str) -> Option<String> {
    let first = sentences("", message).into_iter().next()?.text;
    let kept: String = first.chars().take(LONGEST).collect();
    Some(if kept.len() < first.len() { format!("{}…", kept.trim_end()) } else { kept })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::tests::completion;
    use chat_core::ports::Purpose;

    #[test]
    fn names_what_the_user_asked() {
        let mut asked = completion(Purpose::Summarise, "", &[]);
        assert_eq!(summarise(&asked), "");
        asked.messages = crate::llm::tests::said(&[
            (Role::System, "Summarise."),
            (Role::User, "What is ownership? I am new to it."),
            (Role::Assistant, "A set of rules."),
            (Role::User, "And borrowing?"),
        ]);
        assert_eq!(summarise(&asked), "Asked so far: What is ownership? · And borrowing?");
        asked.messages = crate::llm::tests::said(&[(Role::User, "什么是所有权？我刚开始学。")]);
        assert_eq!(summarise(&asked), "此前问过：什么是所有权？");
    }

    #[test]
    fn stays_short_however_much_was_said() {
        let mut asked = completion(Purpose::Summarise, "", &[]);
        let long = "所有权".repeat(1_000);
        asked.messages = (0..100).flat_map(|_| crate::llm::tests::said(&[(Role::User, &long)])).collect();
        assert!(summarise(&asked).chars().count() < MOST * (LONGEST + 5) + 20);
    }
}
