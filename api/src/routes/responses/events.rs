use crate::{
    caller::Caller,
    path::PathId,
    problem::{Problem, ProblemBody},
    query::Query,
    sse,
    state::AppState,
};
use axum::{extract::State, http::HeaderMap, response::Response};
use chat_core::ResponseId;

/// The numbered events of a response: first those that were, then those that come, until the terminal one.
#[utoipa::path(
    get, path = "/responses/{id}/events", tag = "responses",
    params(
        ("id" = String, Path),
        ("starting_after" = Option<u64>, Query, description = "Only events with a higher number"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The same, as browsers send it")
    ),
    responses(
        (status = 200, description = "Server-sent events", body = String, content_type = "text/event-stream"),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub async fn stream_response(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ResponseId>,
    mut query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = sse::starting_after(&mut query, &headers);
    query.finish()?;
    sse::of_response(&state, &caller, id, after).await
}
