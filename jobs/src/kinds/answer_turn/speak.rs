//! Lets the model speak, within limits.

use super::{
    citations::{Citations, Mark},
    draft::Draft,
    turn::Turn,
};
use crate::{JobContext, Voice, failure::of_model};
use chat_core::{
    ErrorKind, PortError, PortResult, object,
    ports::{Completion, CompletionStream, Delta, FinishReason},
    text::count_tokens,
};
use futures::{StreamExt, future::BoxFuture};
use serde_json::json;
use std::{future::Future, pin::pin, time::Duration};

/// How much longer than allowed an answer may be by our own count before it is cut: tokenisers differ, so a model
/// that keeps its limit is never cut, and one that ignores it is.
const TOLERANCE: usize = 2;

/// Streams the answer into `draft` and to the readers; says why it ended.
pub(super) async fn speak(
    cx: &JobContext,
    turn: &Turn,
    voice: &Voice,
    draft: &mut Draft,
    completion: Completion,
) -> PortResult<FinishReason> {
    let mut cut = Cut::after(completion.max_tokens);
    let mut citations = Citations::new(draft.passages.len());
    let (first, mut pieces) = within(cx, cx.options.first_token_timeout, begin(cx, completion)).await?;
    let mut silence = Silence::begin(cx, cx.options.idle_timeout);
    let mut next = Some(first);
    let mut finish = None;
    while let Some(piece) = next {
        match piece.map_err(of_model)? {
            Delta::Text(piece) => {
                draft.timings.first_token_ms.get_or_insert_with(|| since_accepted(cx, turn));
                voice.say(&piece, &mut draft.text).await?;
                annotate(voice, draft, citations.push(&piece)).await?;
                if cut.is_due(&draft.text) {
                    finish = Some(FinishReason::Length);
                }
            }
            Delta::Usage(usage) => draft.counted = Some(usage),
            Delta::Finish(reason) => finish = Some(reason),
        }
        if finish.is_some() {
            break;
        }
        next = silence.broken_by(pieces.next()).await?;
    }
    annotate(voice, draft, citations.finish()).await?;
    match finish {
        Some(FinishReason::Stop) if draft.text.trim().is_empty() => {
            Err(of_model(PortError::new(ErrorKind::Protocol, "the answer is empty")))
        }
        Some(reason) => Ok(reason),
        None => {
            Err(of_model(PortError::new(ErrorKind::Protocol, "the stream ended in the middle of the answer")))
        }
    }
}

/// Asks, and waits for the first piece: the limit is for both together.
async fn begin(cx: &JobContext, completion: Completion) -> PortResult<(PortResult<Delta>, CompletionStream)> {
    let mut pieces = cx.ports.llm.complete(completion).await.map_err(of_model)?;
    let nothing = || of_model(PortError::new(ErrorKind::Protocol, "the stream ended before the answer"));
    let first = pieces.next().await.ok_or_else(nothing)?;
    Ok((first, pieces))
}

async fn annotate(voice: &Voice, draft: &mut Draft, marks: Vec<Mark>) -> PortResult<()> {
    for mark in marks {
        let Some(passage) = draft.cite(&mark) else {
            continue;
        };
        let annotation = json!({
            "type": "file_citation",
            "index": passage.index,
            "document_id": passage.document_id,
            "chunk_id": passage.chunk_id,
            "start": mark.start,
            "end": mark.end,
        });
        voice.tell("response.output_text.annotation.added", object([("annotation", annotation)])).await?;
    }
    Ok(())
}

/// Fails with `Timeout` if it takes longer.
pub(super) async fn within<T>(
    cx: &JobContext,
    limit: Duration,
    work: impl Future<Output = PortResult<T>>,
) -> PortResult<T> {
    tokio::select! {
        result = work => result,
        () = cx.ports.clock.sleep(limit) => Err(silent(limit)),
    }
}

fn silent(limit: Duration) -> PortError {
    of_model(PortError::new(ErrorKind::Timeout, format!("no answer within {} s", limit.as_secs())))
}

/// Limits how long nothing may be heard. One timer is enough for many pieces: when it is over, it begins again for
/// what is left since the last one.
struct Silence<'a> {
    cx: &'a JobContext,
    limit: Duration,
    timer: BoxFuture<'a, ()>,
}

impl<'a> Silence<'a> {
    fn begin(cx: &'a JobContext, limit: Duration) -> Self {
        Self { cx, limit, timer: cx.ports.clock.sleep(limit) }
    }

    /// Waits for what is to be heard. Fails with `Timeout` if nothing is for too long.
    async fn broken_by<T>(&mut self, sound: impl Future<Output = T>) -> PortResult<T> {
        let (mut sound, since) = (pin!(sound), self.cx.now());
        loop {
            tokio::select! {
                heard = &mut sound => return Ok(heard),
                () = &mut self.timer => {
                    let left = self.limit.saturating_sub(self.cx.now().since(since));
                    if left.is_zero() {
                        return Err(silent(self.limit));
                    }
                    self.timer = self.cx.ports.clock.sleep(left);
                }
            }
        }
    }
}

/// Milliseconds since the turn was accepted.
pub(super) fn since_accepted(cx: &JobContext, turn: &Turn) -> u64 {
    cx.now().since(turn.response.created_at).as_millis() as u64
}

/// Watches the length of an answer without counting all of it again at every piece.
struct Cut {
    most: usize,
    /// Below this many bytes it cannot be too long: every token has at least one.
    look_at: usize,
}

impl Cut {
    fn after(max_tokens: u32) -> Self {
        let most = (max_tokens as usize).saturating_mul(TOLERANCE);
        Self { most, look_at: most }
    }

    fn is_due(&mut self, text: &str) -> bool {
        if text.len() < self.look_at {
            return false;
        }
        let left = self.most.saturating_sub(count_tokens(text));
        self.look_at = text.len() + left;
        left == 0
    }
}
