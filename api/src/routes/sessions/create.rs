use super::{INSTRUCTION_CHARS, TITLE_CHARS, read_collections};
use crate::{
    answer::Answer,
    caller::Caller,
    fields::{Fields, Input},
    json::JsonBody,
    problem::{Problem, ProblemBody},
    state::AppState,
    turn::check_collections,
    views::SessionView,
};
use axum::{extract::State, http::StatusCode, response::Response};
use chat_core::{Change, CollectionId, Session, SessionId};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

/// A conversation to be begun.
#[derive(Debug, ToSchema)]
pub struct CreateSession {
    /// What to call it.
    #[schema(max_length = 500, example = "Holiday rules")]
    title: Option<String>,
    /// Where its answers are looked for; none: in all collections.
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    collections: Option<Vec<CollectionId>>,
    /// What the model is told about this conversation.
    #[schema(max_length = 20000)]
    instructions: Option<String>,
    /// The caller's own data, at most 64 KiB.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
}

impl Input for CreateSession {
    fn read(fields: &mut Fields) -> Self {
        Self {
            title: fields.text("title", 0..=TITLE_CHARS),
            collections: read_collections(fields),
            instructions: fields.text("instructions", 0..=INSTRUCTION_CHARS),
            metadata: fields.metadata("metadata"),
        }
    }
}

/// Begins a conversation.
#[utoipa::path(
    post, path = "/sessions", tag = "sessions", request_body = CreateSession,
    responses((status = 201, body = SessionView), (status = 422, body = ProblemBody))
)]
pub async fn create_session(
    State(state): State<AppState>,
    caller: Caller,
    body: JsonBody<CreateSession>,
) -> Result<Response, Problem> {
    let now = state.ports.clock.now();
    let collections = body.value.collections.unwrap_or_default();
    check_collections(&state, &caller, &collections).await?;
    let session = Session {
        id: SessionId::new(),
        tenant: caller.tenant.clone(),
        title: body.value.title,
        collections,
        instructions: body.value.instructions,
        metadata: body.value.metadata.unwrap_or_else(|| json!({})),
        created_at: now,
        updated_at: now,
        revision: Uuid::nil(),
    };
    let location = format!("/api/v1/sessions/{}", session.id);
    let answer = Answer::new(StatusCode::CREATED, &SessionView::from(session.clone())).at(location);
    let changes = vec![Change::InsertSession(Box::new(session))];
    body.idempotency.answer(&state, &caller, changes, Vec::new(), answer).await
}
