use super::rerun;
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
use chat_core::{Change, JobFilter, JobId, JobState};

/// Runs a job again that was given up or cancelled. Its history stays. The job of a document that failed or was stopped
/// begins another version, and its result names that version and its job.
#[utoipa::path(
    post, path = "/jobs/{id}/retry", tag = "jobs", params(("id" = String, Path)),
    responses(
        (status = 202, body = JobView), (status = 404, body = ProblemBody),
        (
            status = 409,
            description = "It is neither dead nor cancelled, or nothing would come of it: its turn has ended, its \
                document was deleted or has another version by now, its parent has ended, or its texts are gone",
            body = ProblemBody
        )
    )
)]
pub async fn retry_job(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<JobId>,
    body: JsonBody<Nothing>,
) -> Result<Response, Problem> {
    let mut job = state.ports.store.job(caller.job_tenant(), id).await?;
    if !matches!(job.state, JobState::Dead | JobState::Cancelled) {
        let found = job.state.as_str();
        return Err(Problem::conflict(format!(
            "Only a dead or cancelled job can be retried; this one is {found}."
        )));
    }
    rerun::check(&state, &job).await?;
    (job.state, job.cancel_requested, job.finished_at) = (JobState::Available, false, None);
    let filter = JobFilter { tenant: caller.job_tenant().cloned(), ..JobFilter::default() };
    let changes = vec![Change::RetryJobs(filter, vec![id])];
    let answer = Answer::new(StatusCode::ACCEPTED, &JobView::from(job));
    body.idempotency.answer(&state, &caller, changes, Vec::new(), answer).await
}
