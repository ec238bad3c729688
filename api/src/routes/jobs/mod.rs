//! Background jobs.

mod bulk;
mod cancel;
mod list;
mod rerun;
mod retry;
mod show;

use crate::state::AppState;
use chat_core::Lane;
use utoipa_axum::{router::OpenApiRouter, routes};

const STATES: &str = "waiting, available, handed, running, succeeded, dead, cancelled";
const LANES: &str = "chat, ingest, embed, maintenance, default";
const LANE_CHOICES: [(&str, Lane); 5] = [
    ("chat", Lane::Chat),
    ("ingest", Lane::Ingest),
    ("embed", Lane::Embed),
    ("maintenance", Lane::Maintenance),
    ("default", Lane::Default),
];

/// The endpoints.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_jobs))
        .routes(routes!(bulk::change_jobs))
        .routes(routes!(show::get_job))
        .routes(routes!(cancel::cancel_job))
        .routes(routes!(retry::retry_job))
}
