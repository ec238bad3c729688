use crate::{caller::Operator, page::List, problem::Problem, state::AppState, views::LaneView};
use axum::{Json, extract::State};
use chat_core::Page;

/// Every lane.
#[utoipa::path(get, path = "/lanes", tag = "lanes", responses((status = 200, body = List<LaneView>)))]
pub async fn list_lanes(State(state): State<AppState>, _: Operator) -> Result<Json<List<LaneView>>, Problem> {
    let page = Page { rows: LaneView::all(&state.ports).await?, has_more: false };
    Ok(Json(List::of(page, |lane| lane.name.to_owned(), |lane| lane)))
}
