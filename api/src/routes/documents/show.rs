use crate::{
    caller::Caller,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::DocumentView,
};
use axum::{Json, extract::State};
use chat_core::DocumentId;

/// One document.
#[utoipa::path(
    get, path = "/documents/{id}", tag = "documents", params(("id" = String, Path)),
    responses((status = 200, body = DocumentView), (status = 404, body = ProblemBody))
)]
pub async fn get_document(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<DocumentId>,
) -> Result<Json<DocumentView>, Problem> {
    Ok(Json(state.ports.store.document(&caller.tenant, id).await?.into()))
}
