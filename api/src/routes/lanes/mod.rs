//! Where jobs wait.

mod change;
mod list;
mod pause;
mod resume;

use crate::state::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The endpoints.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_lanes))
        .routes(routes!(pause::pause_lane))
        .routes(routes!(resume::resume_lane))
}
