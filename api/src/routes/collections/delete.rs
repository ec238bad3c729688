use crate::{
    caller::Caller,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
};
use axum::{extract::State, http::StatusCode};
use chat_core::{Change, CollectionId};
use chat_jobs::{DeleteCollection, JobKind};

/// Removes a collection and all documents in it. Nothing of it can be found from now on; a job removes the rest.
#[utoipa::path(
    delete, path = "/collections/{id}", tag = "collections", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub async fn delete_collection(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<CollectionId>,
) -> Result<StatusCode, Problem> {
    let job = DeleteCollection { collection: id }.job(&caller.tenant);
    let changes = vec![Change::HideCollection(caller.tenant, id), Change::Enqueue(Box::new(job))];
    state.commit(changes, Vec::new()).await?;
    Ok(StatusCode::NO_CONTENT)
}
