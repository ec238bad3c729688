use crate::{
    answer::Answer,
    caller::{Caller, Operator},
    fields::Nothing,
    json::JsonBody,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::JobView,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use chat_core::{Change, Tenant};

/// Enqueues what a schedule would enqueue at its next tick, now.
#[utoipa::path(
    post, path = "/schedules/{name}/run", tag = "schedules", params(("name" = String, Path)),
    responses((status = 202, body = JobView), (status = 404, body = ProblemBody))
)]
pub async fn run_schedule(
    State(state): State<AppState>,
    caller: Caller,
    _: Operator,
    Path(name): Path<String>,
    body: JsonBody<Nothing>,
) -> Result<Response, Problem> {
    let schedule = chat_jobs::schedules().into_iter().find(|schedule| schedule.name == name);
    let schedule = schedule.ok_or_else(|| Problem::not_found("The schedule"))?;
    let job = (schedule.job)(&Tenant::default());
    let view = JobView::fresh(&job, state.ports.clock.now());
    let changes = vec![Change::Enqueue(Box::new(job))];
    let answer = Answer::new(StatusCode::ACCEPTED, &view);
    body.idempotency.answer(&state, &caller, changes, Vec::new(), answer).await
}
