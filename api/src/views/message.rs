use super::ReferenceView;
use chat_core::{Message, MessageId, ResponseId, Role, SessionId, Timestamp};
use chat_jobs::reference_json;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One message of a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageView {
    /// Its id.
    #[schema(value_type = String)]
    id: MessageId,
    /// `message`.
    #[schema(example = "message")]
    object: &'static str,
    /// The conversation.
    #[schema(value_type = String)]
    session_id: SessionId,
    /// Who said it: `user` or `assistant`.
    #[schema(value_type = String, pattern = "^(user|assistant)$")]
    role: Role,
    /// What was said.
    content: String,
    /// The response that it is the text of, or that answers it.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    response_id: Option<ResponseId>,
    /// What it cites, if it is an answer.
    #[schema(value_type = Option<Vec<ReferenceView>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<Vec<Value>>,
    /// When it was said.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<&Message> for MessageView {
    fn from(message: &Message) -> Self {
        let is_answer = message.role == Role::Assistant;
        Self {
            id: message.id,
            object: "message",
            session_id: message.session,
            role: message.role,
            content: message.content.clone(),
            response_id: message.response,
            references: is_answer.then(|| message.references.iter().map(reference_json).collect()),
            created_at: message.created_at,
        }
    }
}
