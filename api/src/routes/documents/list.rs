use crate::{
    caller::Caller,
    page::{self, List, PageParameters},
    problem::{Problem, ProblemBody},
    query::Query,
    state::AppState,
    views::DocumentView,
};
use axum::{Json, extract::State};
use chat_core::{CollectionId, DocumentId, DocumentStatus};

const STATUSES: &str = "queued, parsing, chunking, embedding, indexing, ready, failed, cancelled";

/// The caller's documents, newest first.
#[utoipa::path(
    get, path = "/documents", tag = "documents",
    params(
        ("collection" = Option<String>, Query, description = "Only of this collection"),
        ("status" = Option<String>, Query, description = "Only with this status"),
        PageParameters
    ),
    responses((status = 200, body = List<DocumentView>), (status = 422, body = ProblemBody))
)]
pub async fn list_documents(
    State(state): State<AppState>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<List<DocumentView>>, Problem> {
    let collection = query.parse::<CollectionId>("collection");
    let status = query.word("status", STATUSES, DocumentStatus::parse);
    let page = page::wanted::<DocumentId>(&mut query, false);
    query.finish()?;
    let found = state.ports.store.documents(&caller.tenant, collection, status, page.request).await?;
    Ok(Json(page.list(found, |document| document.id.to_string(), DocumentView::from)))
}
