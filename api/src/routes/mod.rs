//! One folder per noun, one file per endpoint: what it reads, what it does, how it is documented.

mod collections;
mod documents;
mod embeddings;
pub(crate) mod health;
mod jobs;
mod keys;
mod lanes;
mod messages;
mod responses;
mod schedules;
mod search;
mod sessions;
mod usage;
mod workers;

pub(crate) use messages::{CreateMessage, create_message};
pub(crate) use responses::cancel_response;

use crate::{state::AppState, ws};
use utoipa_axum::router::OpenApiRouter;

/// What is under `/api/v1`.
pub fn versioned() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(sessions::router())
        .merge(messages::router())
        .merge(responses::router())
        .merge(collections::router())
        .merge(documents::router())
        .merge(search::router())
        .merge(embeddings::router())
        .merge(jobs::router())
        .merge(keys::router())
        .merge(lanes::router())
        .merge(schedules::router())
        .merge(usage::router())
        .merge(workers::router())
}

/// What operators' machines ask; and the WebSocket, which may bring its key in its first frame.
pub fn unversioned() -> OpenApiRouter<AppState> {
    health::router().routes(utoipa_axum::routes!(ws::connect))
}
