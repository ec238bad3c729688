use crate::{
    caller::Operator,
    page::{List, PageParameters, ShortPart},
    problem::{Problem, ProblemBody},
    query::Query,
    state::AppState,
    views::WorkerView,
};
use axum::{Json, extract::State};
use chat_core::WorkerState;
use std::time::Duration;

/// After this time of silence the jobs of a worker are given to others: it counts as gone.
const LEASE: Duration = Duration::from_secs(12);

/// Every worker that lives, oldest first.
#[utoipa::path(
    get, path = "/workers", tag = "workers", params(PageParameters),
    responses((status = 200, body = List<WorkerView>), (status = 422, body = ProblemBody))
)]
pub async fn list_workers(
    State(state): State<AppState>,
    _: Operator,
    mut query: Query,
) -> Result<Json<List<WorkerView>>, Problem> {
    let part = ShortPart::wanted(&mut query);
    query.finish()?;
    Ok(Json(part.list(
        state.ports.store.workers(LEASE).await?,
        |worker: &WorkerState| worker.id.to_string(),
        WorkerView::from,
    )))
}
