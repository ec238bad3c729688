use crate::{
    caller::Operator,
    page::{List, PageParameters, ShortPart},
    problem::{Problem, ProblemBody},
    query::Query,
    state::AppState,
    views::LaneView,
};
use axum::{Json, extract::State};

/// Every lane.
#[utoipa::path(
    get, path = "/lanes", tag = "lanes", params(PageParameters),
    responses((status = 200, body = List<LaneView>), (status = 422, body = ProblemBody))
)]
pub async fn list_lanes(
    State(state): State<AppState>,
    _: Operator,
    mut query: Query,
) -> Result<Json<List<LaneView>>, Problem> {
    let part = ShortPart::wanted(&mut query);
    query.finish()?;
    Ok(Json(part.list(LaneView::all(&state.ports).await?, |lane| lane.name.to_owned(), |lane| lane)))
}
