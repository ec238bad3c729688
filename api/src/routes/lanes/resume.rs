use super::change::set_paused;
use crate::{
    caller::{Caller, Operator},
    fields::Nothing,
    json::JsonBody,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::LaneView,
};
use axum::{
    extract::{Path, State},
    response::Response,
};

/// Hands out the jobs of a lane again. Safe to repeat.
#[utoipa::path(
    post, path = "/lanes/{name}/resume", tag = "lanes", params(("name" = String, Path)),
    responses((status = 200, body = LaneView), (status = 404, body = ProblemBody))
)]
pub async fn resume_lane(
    State(state): State<AppState>,
    caller: Caller,
    _: Operator,
    Path(name): Path<String>,
    body: JsonBody<Nothing>,
) -> Result<Response, Problem> {
    set_paused(&state, &caller, &name, body, false).await
}
