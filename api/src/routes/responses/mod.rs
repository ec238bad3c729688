//! Answers.

mod cancel;
mod events;
mod regenerate;
mod show;

pub(crate) use cancel::cancel_response;

use crate::state::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The endpoints.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(show::get_response))
        .routes(routes!(events::stream_response))
        .routes(routes!(cancel::cancel_response))
        .routes(routes!(regenerate::regenerate_response))
}
