use super::NAME_CHARS;
use crate::{
    answer::Answer,
    caller::Caller,
    fields::{Fields, Input},
    json::JsonBody,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::CollectionView,
};
use axum::{extract::State, http::StatusCode, response::Response};
use chat_core::{Change, Collection, CollectionId};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A collection to be made.
#[derive(Debug, ToSchema)]
pub struct CreateCollection {
    /// What to call it; one of a kind.
    #[schema(min_length = 1, max_length = 200, example = "员工手册")]
    name: String,
    /// The caller's own data, at most 64 KiB.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
}

impl Input for CreateCollection {
    fn read(fields: &mut Fields) -> Self {
        Self { name: fields.required_text("name", 1..=NAME_CHARS), metadata: fields.metadata("metadata") }
    }
}

/// Makes a collection.
#[utoipa::path(
    post, path = "/collections", tag = "collections", request_body = CreateCollection,
    responses(
        (status = 201, body = CollectionView), (status = 409, description = "The name is taken", body = ProblemBody),
        (status = 422, body = ProblemBody)
    )
)]
pub async fn create_collection(
    State(state): State<AppState>,
    caller: Caller,
    body: JsonBody<CreateCollection>,
) -> Result<Response, Problem> {
    let name = body.value.name;
    if let Some(taken) = state.ports.store.collection_named(&caller.tenant, &name).await? {
        return Err(Problem::conflict(format!("The collection {taken} has this name already.")));
    }
    let now = state.ports.clock.now();
    let collection = Collection {
        id: CollectionId::new(),
        tenant: caller.tenant.clone(),
        name,
        metadata: body.value.metadata.unwrap_or_else(|| json!({})),
        document_count: 0,
        chunk_count: 0,
        bytes: 0,
        created_at: now,
        updated_at: now,
    };
    let location = format!("/api/v1/collections/{}", collection.id);
    let answer = Answer::new(StatusCode::CREATED, &CollectionView::from(collection.clone())).at(location);
    let changes = vec![Change::InsertCollection(Box::new(collection))];
    body.idempotency.answer(&state, &caller, changes, Vec::new(), answer).await
}
