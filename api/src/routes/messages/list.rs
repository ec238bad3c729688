use crate::{
    caller::Caller,
    page::{self, List, PageParameters},
    path::PathId,
    problem::{Problem, ProblemBody},
    query::Query,
    state::AppState,
    views::MessageView,
};
use axum::{Json, extract::State};
use chat_core::{MessageId, SessionId};

/// What was said in a conversation, oldest first.
#[utoipa::path(
    get, path = "/sessions/{id}/messages", tag = "messages", params(("id" = String, Path), PageParameters),
    responses(
        (status = 200, body = List<MessageView>), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub async fn list_messages(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<SessionId>,
    mut query: Query,
) -> Result<Json<List<MessageView>>, Problem> {
    let page = page::wanted::<MessageId>(&mut query, true);
    query.finish()?;
    let store = &state.ports.store;
    store.session(&caller.tenant, id).await?;
    let found = store.messages(&caller.tenant, id, page.request).await?;
    Ok(Json(page.list(found, |message| message.id.to_string(), |message| MessageView::from(&message))))
}
