use crate::{
    caller::Caller,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::ResponseView,
};
use axum::{Json, extract::State};
use chat_core::ResponseId;
use serde_json::Value;

/// One response: how far it is, and what it says.
#[utoipa::path(
    get, path = "/responses/{id}", tag = "responses", params(("id" = String, Path)),
    responses((status = 200, body = ResponseView), (status = 404, body = ProblemBody))
)]
pub async fn get_response(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ResponseId>,
) -> Result<Json<Value>, Problem> {
    let response = state.ports.store.response(&caller.tenant, id).await?;
    Ok(Json(chat_jobs::response_json(&response)))
}
