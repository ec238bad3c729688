use crate::{
    caller::Caller,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
};
use axum::{extract::State, http::StatusCode};
use chat_core::{Change, JobFilter, SessionId};

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
    let turns = JobFilter { tenant: Some(caller.tenant.clone()), session: Some(id), ..JobFilter::default() };
    let changes =
        vec![Change::CancelJobs(turns, Vec::new()), Change::DeleteSession(caller.tenant.clone(), id)];
    state.commit(changes, Vec::new()).await?;
    state.ports.memo().forget_session(&caller.tenant, id).await;
    Ok(StatusCode::NO_CONTENT)
}
