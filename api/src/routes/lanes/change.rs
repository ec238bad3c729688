//! What pausing and resuming have in common.

use crate::{
    answer::Answer, caller::Caller, fields::Nothing, json::JsonBody, problem::Problem, state::AppState,
    views::LaneView,
};
use axum::{http::StatusCode, response::Response};
use chat_core::{Change, Lane};

/// Writes that a lane is paused from now on, or is not any more; answers with the lane as it is then.
pub(super) async fn set_paused(
    state: &AppState,
    caller: &Caller,
    name: &str,
    body: JsonBody<Nothing>,
    paused: bool,
) -> Result<Response, Problem> {
    let lane = Lane::parse(name).ok_or_else(|| Problem::not_found("The lane"))?;
    let view = LaneView::one(&state.ports, lane).await?;
    let mut view = view.ok_or_else(|| Problem::not_found("The lane"))?;
    view.paused = paused;
    view.paused_at = paused.then(|| view.paused_at.unwrap_or_else(|| state.ports.clock.now()));
    let change = if paused { Change::PauseLane(lane) } else { Change::ResumeLane(lane) };
    tracing::info!(lane = lane.as_str(), paused, "an operator paused or resumed a lane");
    let answer = Answer::new(StatusCode::OK, &view);
    body.idempotency.answer(state, caller, vec![change], Vec::new(), answer).await
}
