//! Sets of documents.

mod create;
mod delete;
mod list;
mod patch;
mod show;

use crate::state::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The longest name, in characters.
const NAME_CHARS: usize = 200;

/// The endpoints.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create::create_collection, list::list_collections)).routes(routes!(
        show::get_collection,
        patch::update_collection,
        delete::delete_collection
    ))
}
