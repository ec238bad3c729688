use crate::{
    answer::Answer,
    caller::Caller,
    fields::Nothing,
    json::JsonBody,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::ResponseView,
};
use axum::{extract::State, http::StatusCode, response::Response};
use chat_core::{Change, JobFilter, ResponseId};

/// Stops a response. Its status is `cancelled` once the provider's connection is closed and what was said is stored.
#[utoipa::path(
    post, path = "/responses/{id}/cancel", tag = "responses", params(("id" = String, Path)),
    responses(
        (status = 202, description = "The response as it is at this moment", body = ResponseView),
        (status = 404, body = ProblemBody), (status = 409, description = "It has ended", body = ProblemBody)
    )
)]
pub async fn cancel_response(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ResponseId>,
    body: JsonBody<Nothing>,
) -> Result<Response, Problem> {
    let response = state.ports.store.response(&caller.tenant, id).await?;
    if response.status.is_final() {
        let status = response.status.as_str();
        return Err(Problem::conflict(format!("The response has ended already: it is {status}.")));
    }
    let filter = JobFilter { tenant: Some(caller.tenant.clone()), ..JobFilter::default() };
    let changes = vec![Change::CancelJobs(filter, vec![response.job])];
    let answer = Answer::new(StatusCode::ACCEPTED, &chat_jobs::response_json(&response));
    body.idempotency.answer(&state, &caller, changes, Vec::new(), answer).await
}
