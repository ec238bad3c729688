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

/// Hands out nothing more of a lane until it is resumed; what runs goes on, and jobs are accepted. Safe to repeat.
#[utoipa::path(
    post, path = "/lanes/{name}/pause", tag = "lanes", params(("name" = String, Path)),
    responses((status = 200, body = LaneView), (status = 404, body = ProblemBody))
)]
pub async fn pause_lane(
    State(state): State<AppState>,
    caller: Caller,
    _: Operator,
    Path(name): Path<String>,
    body: JsonBody<Nothing>,
) -> Result<Response, Problem> {
    set_paused(&state, &caller, &name, body, true).await
}
