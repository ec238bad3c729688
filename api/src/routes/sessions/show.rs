use crate::{
    caller::Caller,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::SessionView,
};
use axum::{Json, extract::State};
use chat_core::SessionId;

/// One conversation.
#[utoipa::path(
    get, path = "/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, body = SessionView), (status = 404, body = ProblemBody))
)]
pub async fn get_session(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<SessionId>,
) -> Result<Json<SessionView>, Problem> {
    Ok(Json(state.ports.memo().session(&caller.tenant, id).await?.into()))
}
