//! How a turn ends: the one list of writes that ends it, and the events that say so.

use super::{draft::Draft, speak::since_accepted, turn::Turn};
use crate::{
    Done, Ending, JobContext,
    failure::response_failure,
    farewell::pass_on,
    measure, response_json,
    stream::{Numbers, Rest, Start, restart_reason},
};
use chat_core::{
    Change, ErrorKind, Event, Failure, KeyId, Message, MessageId, PortResult, Response, ResponseEnd,
    ResponseId, ResponseStatus, Role, StreamId, UsageEntry, object, ports::FinishReason,
};
use serde_json::{Value, json};

/// Why a run stopped speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// All was said.
    Said,
    /// The model reached its token limit, or ignored it.
    TooLong,
    /// The provider's filter cut it.
    Filtered,
    /// The turn took too long.
    TimedOut,
    /// The caller stopped it.
    Cancelled,
}

impl Ended {
    pub(super) fn of(reason: FinishReason) -> Self {
        match reason {
            FinishReason::Stop => Self::Said,
            FinishReason::Length => Self::TooLong,
            FinishReason::ContentFilter => Self::Filtered,
        }
    }

    fn status(self) -> ResponseStatus {
        match self {
            Self::Said => ResponseStatus::Completed,
            Self::TooLong | Self::Filtered | Self::TimedOut => ResponseStatus::Incomplete,
            Self::Cancelled => ResponseStatus::Cancelled,
        }
    }

    fn error(self) -> Option<Failure> {
        let (code, message) = match self {
            Self::TooLong => ("max_output_tokens", "The answer reached the longest length that is allowed."),
            Self::Filtered => ("content_filter", "The model provider's content filter cut the answer."),
            Self::TimedOut => ("timeout", "The answer took longer than allowed."),
            Self::Said | Self::Cancelled => return None,
        };
        Some(Failure { code: code.into(), message: message.into() })
    }
}

/// Ends a turn in which something may have been said.
pub(super) fn done(
    cx: &JobContext,
    key: Option<KeyId>,
    turn: Turn,
    mut draft: Draft,
    ended: Ended,
    mut rest: Rest,
) -> Done {
    draft.timings.total_ms = Some(since_accepted(cx, &turn));
    let mut response = turn.response;
    response.status = ended.status();
    response.attempt = cx.claim.attempt;
    response.references = draft.references();
    response.usage = (draft.prompt_tokens > 0).then(|| draft.spent().usage(&cx.options));
    response.timings = draft.timings;
    response.error = ended.error();
    response.completed_at = Some(cx.now());
    response.output_text = draft.text;
    measure::turn(&response);
    if !response.output_text.is_empty() || ended != Ended::Cancelled {
        rest.tell("response.output_text.done", object([("text", response.output_text.clone().into())]));
    }
    let spent = spent(cx, key, &response);
    let mut done = close(response, rest);
    done.changes.extend(spent);
    Done { cancelled: ended == Ended::Cancelled, ..done }
}

/// What the models took for it.
fn spent(cx: &JobContext, key: Option<KeyId>, response: &Response) -> Option<Change> {
    let entry = UsageEntry {
        job: cx.claim.job,
        tenant: response.tenant.clone(),
        key,
        session: Some(response.session),
        model: response.model.clone(),
        usage: response.usage?,
        at: cx.now(),
    };
    Some(Change::RecordUsage(Box::new(entry)))
}

/// Ends a turn whose job died, or was stopped while no run was there to end it.
pub(super) async fn without_success(cx: &JobContext, id: ResponseId, ending: &Ending) -> PortResult<Done> {
    let mut response = match cx.ports.store.response(&cx.claim.tenant, id).await {
        Ok(response) if !response.status.is_final() => response,
        Ok(_) => return Ok(Done::default()),
        Err(error) if error.kind == ErrorKind::NotFound => return pass_on(cx, id).await,
        Err(error) => return Err(error),
    };
    let stream = StreamId::from(id);
    let start = Start::find(cx, stream).await?;
    response.attempt = cx.claim.attempt.min(cx.claim.max_attempts);
    response.completed_at = Some(cx.now());
    response.timings.total_ms = Some(cx.now().since(response.created_at).as_millis() as u64);
    match ending {
        Ending::Dead(failure) => {
            (response.status, response.error) = (ResponseStatus::Failed, Some(why(cx, failure)));
        }
        Ending::Cancelled => response.status = ResponseStatus::Cancelled,
    }
    if !start.jumped {
        response.output_text = said(cx, stream, &start.recovered).await?;
    }
    measure::turn(&response);
    let numbers = Numbers::new(id, response.attempt, start.next);
    let jumped = start.jumped;
    let mut rest = Rest::of(stream, numbers, start);
    if jumped {
        // Only here may numbers be left out; what readers have is of an attempt that nobody remembers.
        let reason = restart_reason(cx).await;
        rest.tell(
            "response.restarted",
            object([("attempt", response.attempt.into()), ("reason", reason.into())]),
        );
    }
    Ok(close(response, rest))
}

fn why(cx: &JobContext, failure: &Failure) -> Failure {
    let mut failure = failure.clone();
    if cx.claim.attempt > cx.claim.max_attempts {
        failure.code = ErrorKind::Stale.as_str().into(); // no attempt came to an end: its workers were lost
    }
    response_failure(&failure)
}

/// The text that readers of a stopped turn have: all pieces since the last restart.
async fn said(cx: &JobContext, stream: StreamId, recovered: &[Event]) -> PortResult<String> {
    let (mut text, mut after) = (String::new(), 0);
    loop {
        let batch = cx.ports.store.events_after(stream, after).await?;
        let Some(last) = batch.last() else { break };
        after = last.seq;
        for event in &batch {
            hear(&mut text, event);
        }
    }
    for event in recovered {
        hear(&mut text, event);
    }
    Ok(text)
}

fn hear(text: &mut String, event: &Event) {
    match &*event.name {
        "response.restarted" => text.clear(),
        "response.output_text.delta" => {
            let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
            text.push_str(data["delta"].as_str().unwrap_or_default());
        }
        _ => {}
    }
}

/// The last event and the last transaction of a response.
fn close(response: Response, mut rest: Rest) -> Done {
    let terminal = format!("response.{}", response.status.as_str());
    rest.tell(&terminal, object([("response", response_json(&response))]));
    let (mut changes, publish) = rest.into_parts();
    let result = Some(json!({"response_id": response.id, "status": response.status}));
    // What was said of an answer that failed is shown with it, and is no part of the conversation.
    let counts = !response.output_text.is_empty() && response.status != ResponseStatus::Failed;
    let message = counts.then(|| message(&response));
    changes.push(Change::EndResponse(response.id, Box::new(end(response))));
    changes.extend(message.map(|message| Change::InsertMessage(Box::new(message))));
    Done { changes, result, publish, cancelled: false }
}

fn message(response: &Response) -> Message {
    Message {
        id: MessageId::new(),
        session: response.session,
        tenant: response.tenant.clone(),
        role: Role::Assistant,
        content: response.output_text.clone(),
        response: Some(response.id),
        references: response.references.clone(),
        created_at: response.completed_at.unwrap_or(response.created_at),
    }
}

fn end(response: Response) -> ResponseEnd {
    ResponseEnd {
        status: response.status,
        attempt: response.attempt,
        model: response.model,
        output_text: response.output_text,
        references: response.references,
        usage: response.usage,
        timings: response.timings,
        error: response.error,
        completed_at: response.completed_at.unwrap_or(response.created_at),
    }
}
