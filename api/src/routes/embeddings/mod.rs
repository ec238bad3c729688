//! Vectors of texts.

mod create;
mod wait;

use crate::state::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The endpoints.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create::create_embeddings))
}
