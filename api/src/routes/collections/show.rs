use crate::{
    caller::Caller,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::CollectionView,
};
use axum::{Json, extract::State};
use chat_core::CollectionId;

/// One collection.
#[utoipa::path(
    get, path = "/collections/{id}", tag = "collections", params(("id" = String, Path)),
    responses((status = 200, body = CollectionView), (status = 404, body = ProblemBody))
)]
pub async fn get_collection(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<CollectionId>,
) -> Result<Json<CollectionView>, Problem> {
    Ok(Json(state.ports.store.collection(&caller.tenant, id).await?.into()))
}
