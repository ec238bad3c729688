//! Answers one message of a conversation: searches, asks the model, streams what it says, keeps the answer.

mod answer;
mod citations;
mod code;
mod draft;
mod ended;
mod history;
mod prompt;
mod recall;
mod speak;
mod turn;

use crate::{Done, Ending, JobContext, JobError, JobKind, ResponseStream, farewell::pass_on, stream::Start};
use async_trait::async_trait;
use chat_core::{ErrorKind, KeyId, Lane, PortError, PortResult, ResponseId, RetryPolicy};
use draft::Draft;
use ended::Ended;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use turn::Turn;

/// The longest wait before another attempt that a provider can ask for: somebody is waiting for the answer.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Answers one message of a conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AnswerTurn {
    /// The answer to be made.
    pub response: ResponseId,
    /// The key that asked, whose tokens these are too. Rows of earlier releases, and callers without a key, have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
}

#[async_trait]
impl JobKind for AnswerTurn {
    const KIND: &'static str = "answer_turn.v1";
    const LANE: Lane = Lane::Chat;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 3, base: Duration::from_secs(1), cap: Duration::from_mins(1) };
    /// A turn ends by its own, shorter limit; this one is for a run that hangs.
    const TIMEOUT: Duration = Duration::from_mins(15);
    const ENDS_ITSELF: bool = true;

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        let stream = self.response.into();
        let (pause, turn, start) =
            tokio::join!(cx.ports.llm.pause(), Turn::load(cx, self.response), Start::find(cx, stream));
        let Some(turn) = turn? else {
            return Ok(pass_on(cx, self.response).await?);
        };
        if let Some(pause) = pause.filter(|pause| has_to_wait(cx, &turn, *pause)) {
            return Err(not_begun(pause)); // before readers are told anything
        }
        let (voice, mut stream) = ResponseStream::open(cx, self.response, start?).await;
        let mut draft = Draft::default();
        draft.timings.queued_ms =
            Some(cx.claim.claimed_at.since(turn.response.created_at).as_millis() as u64);
        let ended = tokio::select! {
            biased;
            // Whatever wins, the work is dropped here, and with it the connection to the provider.
            () = cx.cancel.cancelled() => Ok(Ended::Cancelled),
            result = stream.carry(answer::answer(cx, &turn, &voice, &mut draft)) => result.map(Ended::of),
            () = cx.ports.clock.sleep(cx.options.turn_timeout) => Ok(Ended::TimedOut),
        };
        let ended = match ended {
            Ok(Ended::TimedOut) if draft.text.is_empty() => Err(JobError::Fail(nothing_said(cx))),
            ended => ended.map_err(|error| soon(cx, error)),
        };
        match ended {
            Ok(ended) => Ok(ended::done(cx, self.key, turn, draft, ended, stream.finish().await?)),
            Err(error) => {
                // The next attempt, or the end, takes over what was published.
                stream.leave().await?;
                Err(error)
            }
        }
    }

    async fn end(&self, cx: &JobContext, ending: &Ending) -> PortResult<Done> {
        ended::without_success(cx, self.response, ending).await
    }
}

fn nothing_said(cx: &JobContext) -> PortError {
    let limit = cx.options.turn_timeout.as_secs();
    PortError::new(ErrorKind::Timeout, format!("nothing was said within {limit} s"))
}

/// Whether a turn's model is not to be asked before a pause ends, and can wait for that. Of other models than the
/// configured one that is found out when they are asked.
fn has_to_wait(cx: &JobContext, turn: &Turn, pause: Duration) -> bool {
    turn.response.model == cx.ports.llm.model() && is_patient(cx, pause)
}

/// Whether a pause that the provider asks for ends while somebody may still wait for the answer.
fn is_patient(cx: &JobContext, pause: Duration) -> bool {
    cx.now().since(cx.claim.created_at) + pause <= cx.options.turn_timeout
}

fn not_begun(pause: Duration) -> JobError {
    let error = PortError::new(ErrorKind::RateLimited, "the model server has asked for a pause");
    JobError::Wait(pause, PortError { unasked: true, ..error })
}

/// Readers were told that it has begun, so this was an attempt.
fn soon(cx: &JobContext, error: PortError) -> JobError {
    match JobError::from(PortError { unasked: false, ..error }) {
        JobError::Wait(wait, cause) if is_patient(cx, wait) => JobError::Wait(wait, cause),
        JobError::RetryAfter(wait, cause) | JobError::Wait(wait, cause) => {
            JobError::RetryAfter(wait.min(LONGEST_WAIT), cause)
        }
        other => other,
    }
}
