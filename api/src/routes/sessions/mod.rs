//! Conversations.

mod create;
mod delete;
mod list;
mod patch;
mod show;

use crate::{fields::Fields, state::AppState};
use chat_core::CollectionId;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The longest title, in characters.
const TITLE_CHARS: usize = 500;
/// The longest instructions, in characters.
const INSTRUCTION_CHARS: usize = 20_000;

/// The endpoints.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create::create_session, list::list_sessions)).routes(routes!(
        show::get_session,
        patch::update_session,
        delete::delete_session
    ))
}

fn read_collections(fields: &mut Fields) -> Option<Vec<CollectionId>> {
    fields.ids("collections", crate::turn::COLLECTIONS)
}
