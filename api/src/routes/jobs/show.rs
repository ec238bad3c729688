use crate::{
    caller::Caller,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::JobView,
};
use axum::{Json, extract::State};
use chat_core::JobId;

/// One job.
#[utoipa::path(
    get, path = "/jobs/{id}", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = JobView), (status = 404, body = ProblemBody))
)]
pub async fn get_job(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<JobId>,
) -> Result<Json<JobView>, Problem> {
    Ok(Json(state.ports.store.job(caller.job_tenant(), id).await?.into()))
}
