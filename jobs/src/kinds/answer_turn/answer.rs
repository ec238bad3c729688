//! From the question to the end of the model's stream.

use super::{
    draft::{Draft, Spent, reference},
    prompt,
    recall::{rewrite, summarise},
    speak::{since_accepted, speak},
    turn::Turn,
};
use crate::{Degraded, Findings, Found, JobContext, SearchRequest, Voice, measure, search, shortest};
use chat_core::{
    Change, PortResult, Reference, object,
    ports::{Completion, FinishReason, PromptPassage, Purpose, SearchMode},
    text::count_tokens,
};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How long the passages of a turn are kept.
const CONTEXT_AGE: Duration = Duration::from_hours(7 * 24);

/// Answers a turn into `draft`.
pub(super) async fn answer(
    cx: &JobContext,
    turn: &Turn,
    voice: &Voice,
    draft: &mut Draft,
) -> PortResult<FinishReason> {
    voice.tell("response.file_search_call.searching", Map::new()).await?;
    let (found, summary) = tokio::join!(retrieve(cx, turn, draft), summarise(cx, turn));
    let (query, Findings { found, degraded }) = found?;
    let summary = keep_summary(turn, voice, draft, summary).await?;
    let prompt_tokens = prompt_tokens(turn, summary.as_deref(), &found);
    draft.passages = (1..).zip(found).map(|(index, found)| reference(index, &found)).collect();
    tell_found(cx, turn, voice, &draft.passages, degraded).await?;
    let completion = completion(cx, turn, summary.as_deref(), &draft.passages, query);
    draft.prompt_tokens = prompt_tokens;
    let finish = speak(cx, turn, voice, draft, completion).await?;
    measure::first_token(&turn.response.model, draft.timings.first_token_ms);
    Ok(finish)
}

/// What the prompt says of older turns; a new summary is kept for the turns to come.
async fn keep_summary(
    turn: &Turn,
    voice: &Voice,
    draft: &mut Draft,
    summary: Option<(String, Spent)>,
) -> PortResult<Option<String>> {
    let Some((text, spent)) = summary else { return Ok(turn.memory.summary.clone()) };
    draft.before.add(spent);
    if let Some(until) = turn.memory.until() {
        voice.keep(Change::SaveSummary { session: turn.session.id, until, text: text.clone() }).await?;
    }
    Ok(Some(text))
}

/// The question as it stands alone, and the passages for it.
async fn retrieve(cx: &JobContext, turn: &Turn, draft: &mut Draft) -> PortResult<(String, Findings)> {
    let (query, spent) = rewrite(cx, turn).await;
    draft.before.add(spent);
    let options = &turn.response.options;
    let begun = since_accepted(cx, turn);
    let request = SearchRequest {
        tenant: turn.response.tenant.clone(),
        query,
        collections: options.collections.clone().unwrap_or_else(|| turn.session.collections.clone()),
        limit: options.top_k.unwrap_or(cx.options.top_k) as usize,
        mode: SearchMode::Hybrid,
        filter: Map::new(),
    };
    let found = search(&cx.ports, &request).await?;
    draft.timings.retrieval_ms = Some(since_accepted(cx, turn).saturating_sub(begun));
    Ok((request.query, found))
}

async fn tell_found(
    cx: &JobContext,
    turn: &Turn,
    voice: &Voice,
    passages: &[Reference],
    degraded: Option<Degraded>,
) -> PortResult<()> {
    let results: Vec<Value> = passages.iter().map(result_json).collect();
    let mut body = object([("results", results.into())]);
    body.extend(degraded.map(|what| ("degraded".to_owned(), what.as_str().into())));
    voice.tell("response.file_search_call.completed", body).await?;
    if passages.is_empty() {
        return Ok(());
    }
    let expires_at = cx.now().plus(CONTEXT_AGE);
    let passages = passages.iter().map(without_text).collect();
    voice.keep(Change::SaveContexts { response: turn.response.id, passages, expires_at }).await
}

/// What is kept of a passage that was only read is which it is and how relevant; the text is in the document.
fn without_text(passage: &Reference) -> Reference {
    Reference {
        index: passage.index,
        document_id: passage.document_id,
        chunk_id: passage.chunk_id,
        title: String::new(),
        text: String::new(),
        score: passage.score,
        start: passage.start,
        end: passage.end,
    }
}

fn result_json(passage: &Reference) -> Value {
    json!({
        "index": passage.index,
        "document_id": passage.document_id,
        "chunk_id": passage.chunk_id,
        "title": passage.title,
        "score": shortest(passage.score),
        "start": passage.start,
        "end": passage.end,
    })
}

/// The model reads the question as it was asked; `query` is for an answerer that knows no conversation.
fn completion(
    cx: &JobContext,
    turn: &Turn,
    summary: Option<&str>,
    passages: &[Reference],
    query: String,
) -> Completion {
    let passages: Vec<PromptPassage> = passages.iter().map(prompt_passage).collect();
    let (question, instructions) = (&turn.message.content, turn.session.instructions.as_deref());
    let options = &turn.response.options;
    Completion {
        model: turn.response.model.clone(),
        purpose: Purpose::Answer,
        messages: prompt::answer(instructions, summary, &turn.memory.recent, &passages, question),
        question: query,
        passages,
        temperature: options.temperature.unwrap_or(cx.options.temperature),
        max_tokens: options.max_output_tokens.unwrap_or(cx.options.max_output_tokens),
        trace: cx.claim.span(),
        first_token_timeout: cx.options.first_token_timeout,
        idle_timeout: cx.options.idle_timeout,
    }
}

/// How many tokens the prompt has. Passages know their own length: counting them again would take milliseconds, and
/// nothing is said before.
fn prompt_tokens(turn: &Turn, summary: Option<&str>, found: &[Found]) -> usize {
    let untold = |(index, found): (u32, &Found)| PromptPassage {
        index,
        title: found.passage.title(),
        text: String::new(),
        score: found.score,
    };
    let passages: Vec<_> = (1..).zip(found).map(untold).collect();
    let (question, instructions) = (&turn.message.content, turn.session.instructions.as_deref());
    let frame = prompt::answer(instructions, summary, &turn.memory.recent, &passages, question);
    let counted: usize = frame.iter().map(|message| count_tokens(&message.content)).sum();
    counted + found.iter().map(|found| found.passage.chunk.tokens as usize).sum::<usize>()
}

fn prompt_passage(passage: &Reference) -> PromptPassage {
    PromptPassage {
        index: passage.index,
        title: passage.title.clone(),
        text: passage.text.clone(),
        score: passage.score,
    }
}
