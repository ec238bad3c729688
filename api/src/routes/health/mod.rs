//! Whether the process lives, and whether it can work.

mod alive;
mod ready;

use crate::state::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The endpoints.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(alive::get_health)).routes(routes!(ready::get_ready))
}
