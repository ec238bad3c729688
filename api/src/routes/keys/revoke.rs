use crate::{
    caller::Admin,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
};
use axum::{extract::State, http::StatusCode};
use chat_core::{Change, KeyId};

/// Revokes a key: within a second nobody takes it any more, and streams that were opened with it end.
#[utoipa::path(
    delete, path = "/keys/{id}", tag = "keys", params(("id" = String, Path)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody))
)]
pub async fn revoke_key(
    State(state): State<AppState>,
    _: Admin,
    PathId(id): PathId<KeyId>,
) -> Result<StatusCode, Problem> {
    state.commit(vec![Change::RevokeKey(None, id)], Vec::new()).await?;
    Ok(StatusCode::NO_CONTENT)
}
