//! Asks the model about the conversation before it answers: what the question means alone, what older turns said.
//! Neither may fail a turn: without them the answer is merely less good.

use super::{
    draft::Spent,
    prompt::{self, REWRITE, SUMMARISE},
    speak::within,
    turn::Turn,
};
use crate::JobContext;
use chat_core::{
    PortResult, Role,
    ports::{Completion, Delta, PromptMessage, Purpose},
    text::count_tokens,
};
use futures::StreamExt;
use std::{fmt::Write as _, time::Duration};

/// The longest rewritten question, in tokens.
const QUESTION_TOKENS: u32 = 256;
/// The longest summary, in tokens.
const SUMMARY_TOKENS: u32 = 400;
/// How much of one message a summary is made of, in characters.
const EXCERPT: usize = 4_000;
/// A turn waits no longer than this for a better question or a summary: it can do without.
const LONGEST: Duration = Duration::from_secs(10);

/// The question as it can be understood without the conversation.
pub(super) async fn rewrite(cx: &JobContext, turn: &Turn) -> (String, Spent) {
    let question = &turn.message.content;
    if turn.memory.recent.is_empty() && turn.memory.summary.is_none() {
        return (question.clone(), Spent::default());
    }
    let system = prompt::message(Role::System, with_summary(REWRITE, turn));
    let said = turn.memory.recent.iter().map(|said| prompt::message(said.role, excerpt(&said.content)));
    let asked = prompt::message(Role::User, format!("Rewrite this question:\n{question}"));
    let messages = prompt::conversation(system, said.chain([asked]));
    match ask(cx, turn, Purpose::Rewrite, messages, QUESTION_TOKENS).await {
        Ok((text, spent)) => (one_line(&text).unwrap_or_else(|| question.clone()), spent),
        Err(error) => {
            tracing::warn!(error = %error, "the question could not be rewritten: it is used as it is");
            (question.clone(), Spent::default())
        }
    }
}

/// What the older turns were about, together with the summary that there was; none if there is nothing new.
pub(super) async fn summarise(cx: &JobContext, turn: &Turn) -> Option<(String, Spent)> {
    if turn.memory.older.is_empty() {
        return None;
    }
    let mut messages = vec![prompt::message(Role::System, with_summary(SUMMARISE, turn))];
    let older = turn.memory.older.iter();
    if cx.ports.llm.is_model() {
        // As one text: a model that finds a conversation would answer its last message.
        let said = older.map(|said| format!("{}: {}", said.role.as_str(), excerpt(&said.content)));
        messages.push(prompt::message(Role::User, said.collect::<Vec<_>>().join("\n\n")));
    } else {
        messages.extend(older.map(|said| prompt::message(said.role, excerpt(&said.content))));
    }
    match ask(cx, turn, Purpose::Summarise, messages, SUMMARY_TOKENS).await {
        Ok((text, spent)) if !text.trim().is_empty() => Some((text.trim().to_owned(), spent)),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(error = %error, "older turns could not be summarised: they are left out");
            None
        }
    }
}

fn with_summary(instructions: &str, turn: &Turn) -> String {
    let mut text = instructions.trim().to_owned();
    if let Some(summary) = &turn.memory.summary {
        let _ = write!(text, "\n\n{}", prompt::summarised(summary));
    }
    text
}

async fn ask(
    cx: &JobContext,
    turn: &Turn,
    purpose: Purpose,
    messages: Vec<PromptMessage>,
    max_tokens: u32,
) -> PortResult<(String, Spent)> {
    let read: usize = messages.iter().map(|message| count_tokens(&message.content)).sum();
    let completion = Completion {
        model: turn.response.model.clone(),
        purpose,
        messages,
        question: turn.message.content.clone(),
        passages: Vec::new(),
        temperature: 0.0,
        max_tokens,
        trace: cx.claim.span(),
        first_token_timeout: cx.options.first_token_timeout,
        idle_timeout: cx.options.idle_timeout,
    };
    let (mut text, mut counted) = (String::new(), None);
    let answer = async {
        let mut pieces = cx.ports.llm.complete(completion).await?;
        while let Some(piece) = pieces.next().await {
            match piece? {
                Delta::Text(piece) => text.push_str(&piece),
                Delta::Usage(usage) => counted = Some(usage),
                Delta::Finish(_) => break,
            }
            if text.len() > max_tokens as usize * 16 {
                break; // it ignores its limit
            }
        }
        Ok(())
    };
    within(cx, cx.options.first_token_timeout.min(LONGEST), answer).await?;
    let spent = Spent::of(counted, read, &text);
    Ok((text, spent))
}

fn excerpt(text: &str) -> &str {
    text.char_indices().nth(EXCERPT).map_or(text, |(end, _)| &text[..end])
}

/// The first line that says something; a model that adds an explanation puts it below.
fn one_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let line = line.trim_matches(['"', '“', '”', '「', '」']).trim();
    (!line.is_empty()).then(|| line.to_owned())
}
