use crate::{
    caller::Admin,
    page::{self, List, PageParameters},
    problem::{Problem, ProblemBody},
    query::Query,
    state::AppState,
    views::KeyView,
};
use axum::{Json, extract::State};
use chat_core::{KeyId, Tenant};

/// Keys, newest first, of all tenants or of one. Revoked ones stay in the list.
#[utoipa::path(
    get, path = "/keys", tag = "keys",
    params(("tenant" = Option<String>, Query, description = "Only of this tenant"), PageParameters),
    responses((status = 200, body = List<KeyView>), (status = 403, body = ProblemBody))
)]
pub async fn list_keys(
    State(state): State<AppState>,
    _: Admin,
    mut query: Query,
) -> Result<Json<List<KeyView>>, Problem> {
    let tenant = query.text("tenant").map(|name| Tenant::from(name.as_str()));
    let page = page::wanted::<KeyId>(&mut query, false);
    query.finish()?;
    let found = state.ports.store.api_keys(tenant.as_ref(), page.request).await?;
    Ok(Json(page.list(found, |key| key.id.to_string(), KeyView::from)))
}
