//! Search.

mod create;

use crate::state::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The endpoints.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create::search_passages))
}
