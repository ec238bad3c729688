//! What was said before: as much of it as fits, and a summary of the rest.

use chat_core::{Message, MessageId, Role, text::count_tokens};
use std::collections::HashMap;

/// How many earlier messages are looked at.
pub(super) const LIMIT: u32 = 64;
/// No token of a usual tokeniser is longer: what has more bytes than this for each token of a budget exceeds it.
const LONGEST_TOKEN: usize = 16;

/// What a turn knows of its conversation.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The latest messages, oldest first.
    pub recent: Vec<Message>,
    /// Messages that do not fit and that no summary covers yet, oldest first.
    pub older: Vec<Message>,
    /// What the messages before these were about.
    pub summary: Option<String>,
}

impl Memory {
    /// Sorts what was said before the message `current` into what fits in `budget` tokens and what does not.
    ///
    /// If it does not fit, only half of the budget is filled: the next turns fit without another summary.
    pub(super) fn plan(
        messages: Vec<Message>,
        summary: Option<(MessageId, String)>,
        current: MessageId,
        budget: usize,
    ) -> Self {
        let (covered, summary) = summary.unzip();
        let mut older = in_order(messages, current);
        older.retain(|message| covered.is_none_or(|until| message.id > until));
        let kept = fitting(&older, budget);
        let kept = if kept == older.len() { kept } else { fitting(&older, budget / 2) };
        let recent = older.split_off(older.len() - kept);
        Self { recent, older, summary }
    }

    /// The last message that a summary of `older` covers, so that it covers none of `recent`.
    pub(super) fn until(&self) -> Option<MessageId> {
        let first_kept = self.recent.iter().map(|message| message.id).min();
        let summarised = self.older.iter().map(|message| message.id);
        summarised.filter(|id| first_kept.is_none_or(|kept| *id < kept)).max()
    }
}

/// Each question followed by its answer, oldest first: a question that was queued while another one was answered was
/// written before that answer.
fn in_order(messages: Vec<Message>, current: MessageId) -> Vec<Message> {
    let questions: HashMap<_, _> = messages
        .iter()
        .filter(|message| message.role == Role::User)
        .filter_map(|message| Some((message.response?, message.id)))
        .collect();
    let place = |message: &Message| match message.role {
        Role::Assistant => {
            message.response.and_then(|id| questions.get(&id)).map_or((message.id, 0), |id| (*id, 1))
        }
        _ => (message.id, 0),
    };
    let mut messages: Vec<_> = messages.into_iter().map(|message| (place(&message), message)).collect();
    messages.retain(|((turn, _), _)| *turn < current);
    messages.sort_by_key(|(place, _)| *place);
    messages.into_iter().map(|(_, message)| message).collect()
}

/// How many of the last messages fit. Counting stops at the first that does not.
fn fitting(messages: &[Message], budget: usize) -> usize {
    let mut left = budget;
    let fits = |message: &&Message| {
        if message.content.len() > left.saturating_mul(LONGEST_TOKEN) {
            return false;
        }
        let Some(rest) = left.checked_sub(count_tokens(&message.content)) else {
            return false;
        };
        left = rest;
        true
    };
    messages.iter().rev().take_while(fits).count()
}
