//! What happens at certain times.

mod list;
mod run;

use crate::state::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The endpoints.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::list_schedules)).routes(routes!(run::run_schedule))
}
