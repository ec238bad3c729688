use crate::{
    caller::Caller,
    feed::Feed,
    path::PathId,
    problem::{Problem, ProblemBody},
    query::Query,
    sse,
    state::AppState,
};
use axum::{extract::State, http::HeaderMap, response::Response};
use chat_core::DocumentId;

/// The stages of a document's newest version: first those that were, then those that come, until the last.
#[utoipa::path(
    get, path = "/documents/{id}/events", tag = "documents",
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
pub async fn stream_document(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<DocumentId>,
    mut query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = sse::starting_after(&mut query, &headers);
    query.finish()?;
    let feed = Feed::of_document(&state.ports, &caller.tenant, id, after).await?;
    Ok(sse::respond(&state, &caller, feed))
}
