use crate::{
    answer::Answer,
    caller::Caller,
    fields::Nothing,
    json::JsonBody,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::JobView,
};
use axum::{extract::State, http::StatusCode, response::Response};
use chat_core::{Change, JobFilter, JobId};

/// Stops a job. One that runs ends as soon as it can.
#[utoipa::path(
    post, path = "/jobs/{id}/cancel", tag = "jobs", params(("id" = String, Path)),
    responses(
        (status = 202, description = "The job as it is at this moment", body = JobView),
        (status = 404, body = ProblemBody), (status = 409, description = "It has ended", body = ProblemBody)
    )
)]
pub async fn cancel_job(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<JobId>,
    body: JsonBody<Nothing>,
) -> Result<Response, Problem> {
    let mut job = state.ports.store.job(caller.job_tenant(), id).await?;
    if job.state.is_final() {
        return Err(Problem::conflict(format!("The job has ended already: it is {}.", job.state.as_str())));
    }
    job.cancel_requested = true;
    let filter = JobFilter { tenant: caller.job_tenant().cloned(), ..JobFilter::default() };
    let changes = vec![Change::CancelJobs(filter, vec![id])];
    let answer = Answer::new(StatusCode::ACCEPTED, &JobView::from(job));
    body.idempotency.answer(&state, &caller, changes, Vec::new(), answer).await
}
