use crate::{
    caller::Caller,
    page::{self, List, PageParameters},
    problem::{Problem, ProblemBody},
    query::Query,
    state::AppState,
    views::CollectionView,
};
use axum::{Json, extract::State};
use chat_core::CollectionId;

/// The caller's collections, newest first.
#[utoipa::path(
    get, path = "/collections", tag = "collections", params(PageParameters),
    responses((status = 200, body = List<CollectionView>), (status = 422, body = ProblemBody))
)]
pub async fn list_collections(
    State(state): State<AppState>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<List<CollectionView>>, Problem> {
    let page = page::wanted::<CollectionId>(&mut query, false);
    query.finish()?;
    let found = state.ports.store.collections(&caller.tenant, page.request).await?;
    Ok(Json(page.list(found, |collection| collection.id.to_string(), CollectionView::from)))
}
