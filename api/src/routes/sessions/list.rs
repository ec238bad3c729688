use crate::{
    caller::Caller,
    page::{self, List, PageParameters},
    problem::{Problem, ProblemBody},
    query::Query,
    state::AppState,
    views::SessionView,
};
use axum::{Json, extract::State};
use chat_core::SessionId;

/// The caller's conversations, newest first.
#[utoipa::path(
    get, path = "/sessions", tag = "sessions", params(PageParameters),
    responses((status = 200, body = List<SessionView>), (status = 422, body = ProblemBody))
)]
pub async fn list_sessions(
    State(state): State<AppState>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<List<SessionView>>, Problem> {
    let page = page::wanted::<SessionId>(&mut query, false);
    query.finish()?;
    let found = state.ports.memo().sessions(&caller.tenant, page.request).await?;
    Ok(Json(page.list(found, |session| session.id.to_string(), SessionView::from)))
}
