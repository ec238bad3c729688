//! What the readers of an open turn hear last when its conversation is deleted: nobody finds it any more to end it.

use crate::{
    Done, JobContext, response_failure_code, response_json,
    stream::{JUMP, Numbers, QUEUED},
};
use chat_core::{
    Farewell, Job, PortResult, Response, ResponseId, ResponseStatus, StreamId, Timestamp, object,
};

/// The end of a turn that has said so much so far, as of now; `job`: what is known of the one that does it.
pub fn farewell(mut response: Response, job: Option<&Job>, said: u64, now: Timestamp) -> Farewell {
    let begun = said > QUEUED || response.status == ResponseStatus::InProgress;
    // What a run said last, or says until it hears that it is to stop, may be on the bus only: no number is used twice.
    let first = if begun { said + JUMP + 1 } else { said + 1 };
    response.status = ResponseStatus::Cancelled;
    response.attempt = response.attempt.max(1);
    response.completed_at = Some(now);
    response.timings.total_ms = Some(now.since(response.created_at).as_millis() as u64);
    let mut numbers = Numbers::new(response.id, response.attempt, first);
    let mut events = Vec::new();
    if begun {
        let failed = job.and_then(|job| job.errors.last());
        let reason = failed.map_or("worker_lost", |error| response_failure_code(&error.kind, &error.message));
        events.push(numbers.event("response.restarted", object([("reason", reason.into())])));
    }
    let body = object([("response", response_json(&response))]);
    events.push(numbers.event("response.cancelled", body));
    Farewell { response: response.id, said, events }
}

/// Tells what was left to the readers of a turn that is gone, in case who was to tell it is gone, too.
pub(crate) async fn pass_on(cx: &JobContext, response: ResponseId) -> PortResult<Done> {
    let stream = StreamId::from(response);
    let heard = cx.ports.bus.seize(stream, cx.claim.fence).await.unwrap_or(0);
    let last = cx.ports.store.last_event(stream).await?;
    let mut events = cx.ports.store.events_after(stream, heard.max(last.saturating_sub(2))).await?;
    events.retain(|event| event.seq > heard && (event.is_terminal() || &*event.name == "response.restarted"));
    Ok(Done { publish: vec![(stream, events)], ..Done::default() })
}
