use crate::{
    caller::Caller,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::{AppState, Published},
};
use axum::{extract::State, http::StatusCode};
use chat_core::{Change, ErrorKind, Farewell, JobFilter, PortResult, ResponseStatus, SessionId};
use chat_jobs::farewell;

/// How often it is tried while the conversation's turns go on.
const TRIES: usize = 10;

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
    let mut tries = 1;
    loop {
        match delete(&state, &caller, id).await {
            Err(error) if error.kind == ErrorKind::Conflict && tries < TRIES => tries += 1,
            deleted => break deleted?,
        }
    }
    state.ports.memo().forget_session(&caller.tenant, id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// `Conflict`: a turn has begun, spoken or ended while its end was written here.
async fn delete(state: &AppState, caller: &Caller, id: SessionId) -> PortResult<()> {
    let turns = JobFilter { tenant: Some(caller.tenant.clone()), session: Some(id), ..JobFilter::default() };
    let (farewells, told) = farewells(state, caller, id).await?;
    let deletion = Change::DeleteSession(caller.tenant.clone(), id, farewells);
    state.commit(vec![Change::CancelJobs(turns, Vec::new()), deletion], told).await.map(drop)
}

/// How the open turns end, and what is told of it right away: who runs a turn says itself how it ends.
async fn farewells(
    state: &AppState,
    caller: &Caller,
    session: SessionId,
) -> PortResult<(Vec<Farewell>, Published)> {
    let (store, tenant, now) = (&state.ports.store, &caller.tenant, state.ports.clock.now());
    let (mut farewells, mut told) = (Vec::new(), Published::new());
    for (id, job) in store.open_responses(tenant, session).await? {
        let job = store.job(Some(tenant), job).await.ok();
        let response = store.response(tenant, id).await?;
        let runs = response.status == ResponseStatus::InProgress;
        let farewell = farewell(response, job.as_ref(), store.last_event(id.into()).await?, now);
        if !runs {
            told.extend(farewell.events.iter().map(|event| (id.into(), event.clone())));
        }
        farewells.push(farewell);
    }
    Ok((farewells, told))
}
