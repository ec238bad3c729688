//! What is said in a conversation.

mod create;
mod list;

pub(crate) use create::{CreateMessage, create_message};

use crate::state::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The endpoints.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::list_messages, create::create_message))
}
