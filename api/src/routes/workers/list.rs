use crate::{caller::Operator, page::List, problem::Problem, state::AppState, views::WorkerView};
use axum::{Json, extract::State};
use chat_core::{Page, WorkerState};
use std::time::Duration;

/// After this time of silence the jobs of a worker are given to others: it counts as gone.
const LEASE: Duration = Duration::from_secs(12);

/// Every worker that lives, oldest first.
#[utoipa::path(get, path = "/workers", tag = "workers", responses((status = 200, body = List<WorkerView>)))]
pub async fn list_workers(
    State(state): State<AppState>,
    _: Operator,
) -> Result<Json<List<WorkerView>>, Problem> {
    let page = Page { rows: state.ports.store.workers(LEASE).await?, has_more: false };
    Ok(Json(List::of(page, |worker: &WorkerState| worker.id.to_string(), WorkerView::from)))
}
