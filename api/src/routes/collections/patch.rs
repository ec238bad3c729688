use super::NAME_CHARS;
use crate::{
    caller::Caller,
    fields::{Fields, Input},
    json::JsonBody,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::CollectionView,
};
use axum::{Json, extract::State};
use chat_core::{Change, CollectionId};
use serde_json::Value;
use utoipa::ToSchema;

/// What is to change; what is absent stays.
#[derive(Debug, ToSchema)]
pub struct UpdateCollection {
    /// A new name.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// Other data; replaces all of it.
    #[schema(value_type = Option<Object>, nullable = false)]
    metadata: Option<Value>,
}

impl Input for UpdateCollection {
    fn read(fields: &mut Fields) -> Self {
        fields.refuse_null(&["name", "metadata"]);
        Self { name: fields.text("name", 1..=NAME_CHARS), metadata: fields.metadata("metadata") }
    }
}

/// Changes a collection.
#[utoipa::path(
    patch, path = "/collections/{id}", tag = "collections", params(("id" = String, Path)),
    request_body = UpdateCollection,
    responses(
        (status = 200, body = CollectionView), (status = 404, body = ProblemBody),
        (status = 409, description = "The name is taken", body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub async fn update_collection(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<CollectionId>,
    body: JsonBody<UpdateCollection>,
) -> Result<Json<CollectionView>, Problem> {
    let UpdateCollection { name, metadata } = body.value;
    let change = Change::UpdateCollection { tenant: caller.tenant.clone(), id, name, metadata };
    state.commit(vec![change], Vec::new()).await?;
    Ok(Json(state.ports.store.collection(&caller.tenant, id).await?.into()))
}
