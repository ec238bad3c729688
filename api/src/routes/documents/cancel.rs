use super::stop::stop_ingestion;
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
use chat_core::DocumentId;

/// Stops reading the newest version of a document. A version that answers already goes on answering.
#[utoipa::path(
    post, path = "/documents/{id}/cancel", tag = "documents", params(("id" = String, Path)),
    responses(
        (status = 202, description = "The job as it is at this moment", body = JobView),
        (status = 404, body = ProblemBody), (status = 409, description = "It has ended", body = ProblemBody)
    )
)]
pub async fn cancel_document(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<DocumentId>,
    body: JsonBody<Nothing>,
) -> Result<Response, Problem> {
    let store = &state.ports.store;
    let document = store.document(&caller.tenant, id).await?;
    if document.status.is_final() {
        let status = document.status.as_str();
        return Err(Problem::conflict(format!(
            "The document's newest version has ended already: it is {status}."
        )));
    }
    let job = store.job(Some(&caller.tenant), document.job).await?;
    let changes = stop_ingestion(&caller, id);
    let answer = Answer::new(StatusCode::ACCEPTED, &JobView::from(job));
    body.idempotency.answer(&state, &caller, changes, Vec::new(), answer).await
}
