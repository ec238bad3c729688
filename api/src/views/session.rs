use chat_core::{CollectionId, Session, SessionId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// Its id.
    #[schema(value_type = String, example = "ses_019aa0c8-6f30-7aa0-b5a0-0a4f4a1b2c3d")]
    id: SessionId,
    /// `session`.
    #[schema(example = "session")]
    object: &'static str,
    /// What to call it.
    title: Option<String>,
    /// Where its answers are looked for; empty: in all collections.
    #[schema(value_type = Vec<String>)]
    collections: Vec<CollectionId>,
    /// What the model is told about this conversation.
    instructions: Option<String>,
    /// The caller's own data.
    #[schema(value_type = Object)]
    metadata: Value,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            object: "session",
            title: session.title,
            collections: session.collections,
            instructions: session.instructions,
            metadata: session.metadata,
            created_at: session.created_at,
            updated_at: session.updated_at,
        }
    }
}
