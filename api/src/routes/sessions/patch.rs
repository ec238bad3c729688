use super::{INSTRUCTION_CHARS, TITLE_CHARS, read_collections};
use crate::{
    caller::Caller,
    fields::{Edit, Fields, Input},
    json::JsonBody,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
    turn::check_collections,
    views::SessionView,
};
use axum::{Json, extract::State};
use chat_core::{Change, CollectionId, SessionId};
use serde_json::Value;
use utoipa::ToSchema;

/// What is to change; what is absent stays, `null` removes title or instructions.
#[derive(Debug, ToSchema)]
pub struct UpdateSession {
    /// A new title.
    #[schema(value_type = Option<String>, max_length = 500)]
    title: Edit<String>,
    /// Other collections.
    #[schema(value_type = Option<Vec<String>>, max_items = 100, nullable = false)]
    collections: Option<Vec<CollectionId>>,
    /// Other instructions.
    #[schema(value_type = Option<String>, max_length = 20000)]
    instructions: Edit<String>,
    /// Other data; replaces all of it.
    #[schema(value_type = Option<Object>, nullable = false)]
    metadata: Option<Value>,
}

impl Input for UpdateSession {
    fn read(fields: &mut Fields) -> Self {
        fields.refuse_null(&["collections", "metadata"]);
        Self {
            title: fields.nullable_text("title", 0..=TITLE_CHARS),
            collections: read_collections(fields),
            instructions: fields.nullable_text("instructions", 0..=INSTRUCTION_CHARS),
            metadata: fields.metadata("metadata"),
        }
    }
}

/// Changes a conversation.
#[utoipa::path(
    patch, path = "/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    request_body = UpdateSession,
    responses(
        (status = 200, body = SessionView), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub async fn update_session(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<SessionId>,
    body: JsonBody<UpdateSession>,
) -> Result<Json<SessionView>, Problem> {
    let update = body.value;
    check_collections(&state, &caller, update.collections.as_deref().unwrap_or_default()).await?;
    let change = Change::UpdateSession {
        tenant: caller.tenant.clone(),
        id,
        title: update.title.into_change(),
        collections: update.collections,
        instructions: update.instructions.into_change(),
        metadata: update.metadata,
    };
    state.commit(vec![change], Vec::new()).await?;
    Ok(Json(state.ports.store.session(&caller.tenant, id).await?.into()))
}
