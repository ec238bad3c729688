use crate::{
    caller::Caller,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::{AppState, Published},
};
use axum::{extract::State, http::StatusCode};
use chat_core::{
    Change, ErrorKind, Event, JobFilter, PortResult, Response, ResponseStatus, SessionId, StreamId, object,
};
use chat_jobs::{JUMP, response_failure_code, response_json};
use serde_json::Value;

/// The number of `response.queued`: as long as the log has no more, nothing more was said.
const QUEUED: u64 = 1;

/// Removes a conversation and all that was said; a running turn is stopped.
#[utoipa::path(
    delete, path = "/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub async fn delete_session(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<SessionId>,
) -> Result<StatusCode, Problem> {
    state.ports.store.session(&caller.tenant, id).await?;
    let farewell = farewell(&state, &caller, id).await?;
    let turns = JobFilter { tenant: Some(caller.tenant.clone()), session: Some(id), ..JobFilter::default() };
    let changes =
        vec![Change::CancelJobs(turns, Vec::new()), Change::DeleteSession(caller.tenant.clone(), id)];
    state.commit(changes, farewell).await?;
    state.ports.memo().forget_session(&caller.tenant, id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// What the readers of turns that do not run hear last: nobody will find such a turn any more to end it.
async fn farewell(state: &AppState, caller: &Caller, session: SessionId) -> PortResult<Published> {
    let store = &state.ports.store;
    let mut events = Published::new();
    for (id, _) in store.open_responses(&caller.tenant, session).await? {
        let response = match store.response(&caller.tenant, id).await {
            Ok(response) => response,
            Err(error) if error.kind == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let said = store.last_event(id.into()).await?;
        match response.status {
            ResponseStatus::Queued => {}
            // It was only just taken. If it begins all the same, it hears that it is to stop, and says so itself.
            ResponseStatus::InProgress if said <= QUEUED => {}
            _ => continue,
        }
        if said <= QUEUED {
            events.push(cancelled(state, response, said + 1));
        } else {
            // What an earlier attempt said last may be on the bus only: no number is used twice.
            events.push(restarted(state, caller, &response, said + JUMP + 1).await?);
            events.push(cancelled(state, response, said + JUMP + 2));
        }
    }
    Ok(events)
}

fn head(response: &Response) -> [(&'static str, Value); 2] {
    [("response_id", response.id.to_string().into()), ("attempt", response.attempt.max(1).into())]
}

fn cancelled(state: &AppState, mut response: Response, number: u64) -> (StreamId, Event) {
    let now = state.ports.clock.now();
    response.status = ResponseStatus::Cancelled;
    response.attempt = response.attempt.max(1);
    response.completed_at = Some(now);
    response.timings.total_ms = Some(now.since(response.created_at).as_millis() as u64);
    let body = object([("response", response_json(&response))]);
    (response.id.into(), Event::new("response.cancelled", number, &head(&response), body))
}

/// Takes back what an attempt said that broke off, as another attempt would have done.
async fn restarted(
    state: &AppState,
    caller: &Caller,
    response: &Response,
    number: u64,
) -> PortResult<(StreamId, Event)> {
    let job = state.ports.store.job(Some(&caller.tenant), response.job).await?;
    let reason = job.errors.last().map_or("worker_lost", |e| response_failure_code(&e.kind, &e.message));
    let body = object([("reason", reason.into())]);
    Ok((response.id.into(), Event::new("response.restarted", number, &head(response), body)))
}
