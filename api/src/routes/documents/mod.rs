//! Documents.

mod cancel;
mod chunks;
mod content;
mod delete;
mod events;
mod list;
mod reindex;
mod replace;
mod show;
mod stop;
mod upload;

use crate::state::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The endpoints.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(upload::upload_documents))
        .routes(routes!(list::list_documents))
        .routes(routes!(show::get_document, delete::delete_document))
        .routes(routes!(events::stream_document))
        .routes(routes!(content::get_content, replace::replace_content))
        .routes(routes!(chunks::list_chunks))
        .routes(routes!(reindex::reindex_document))
        .routes(routes!(cancel::cancel_document))
}
