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
use chat_core::{Change, ErrorKind, Job, JobFilter, JobId, JobState};
use chat_jobs::{AnswerTurn, JobKind};
use serde::Deserialize;

/// Runs a job again that was given up or cancelled. Its history stays.
#[utoipa::path(
    post, path = "/jobs/{id}/retry", tag = "jobs", params(("id" = String, Path)),
    responses(
        (status = 202, body = JobView), (status = 404, body = ProblemBody),
        (status = 409, description = "It is neither dead nor cancelled, or of a turn that has ended", body = ProblemBody)
    )
)]
pub async fn retry_job(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<JobId>,
    body: JsonBody<Nothing>,
) -> Result<Response, Problem> {
    if let Some(replayed) = body.idempotency.replay(&state, &caller).await? {
        return Ok(replayed);
    }
    let mut job = state.ports.store.job(caller.job_tenant(), id).await?;
    if !matches!(job.state, JobState::Dead | JobState::Cancelled) {
        let found = job.state.as_str();
        return Err(Problem::conflict(format!(
            "Only a dead or cancelled job can be retried; this one is {found}."
        )));
    }
    refuse_ended_turn(&state, &job).await?;
    (job.state, job.cancel_requested, job.finished_at) = (JobState::Available, false, None);
    let filter = JobFilter { tenant: caller.job_tenant().cloned(), ..JobFilter::default() };
    let changes = vec![Change::RetryJobs(filter, vec![id])];
    let answer = Answer::new(StatusCode::ACCEPTED, &JobView::from(job));
    body.idempotency.answer(&state, &caller, changes, Vec::new(), answer).await
}

/// A turn that has ended is over, and its readers know: only another response can follow.
async fn refuse_ended_turn(state: &AppState, job: &Job) -> Result<(), Problem> {
    let turn = Some(&job.payload).filter(|_| job.kind == AnswerTurn::KIND).map(AnswerTurn::deserialize);
    let Some(Ok(turn)) = turn else { return Ok(()) };
    match state.ports.store.response(&job.tenant, turn.response).await {
        Ok(response) if !response.status.is_final() => Ok(()),
        Ok(response) => Err(Problem::conflict(format!(
            "The turn has ended: its response is {}. Another one comes from POST /api/v1/responses/{}/regenerate.",
            response.status.as_str(),
            response.id
        ))),
        Err(error) if error.kind == ErrorKind::NotFound => {
            Err(Problem::conflict("The turn's conversation was deleted."))
        }
        Err(error) => Err(error.into()),
    }
}
