//! Files on their way in: streamed to the blob store, hashed and capped while they are read, and gone again unless
//! what they belong to is committed.

mod accept;
mod content_disposition;
mod filename;
mod form;
mod intake;
mod media_type;
mod raw;
mod staging;

pub use accept::{Ingestion, accept, settle};
pub use filename::sanitise;
pub use form::{Form, read_form};
pub use media_type::{is_multipart, of_name};
pub use raw::{read_raw, stage_text};
pub use staging::{Staged, StagedFile, Staging};

use crate::{body, problem::Problem, state::AppState};
use axum::{
    body::Body,
    http::{HeaderMap, header},
};

/// What a body may have besides the file: boundaries, headers, other fields.
const OVERHEAD_BYTES: u64 = 1024 * 1024;

/// The most bytes of a whole upload.
fn most_in_all(state: &AppState) -> u64 {
    state.options.max_upload_bytes.saturating_add(OVERHEAD_BYTES)
}

/// Refuses at once what says itself that it is too large, or compressed.
pub async fn check_head(state: &AppState, headers: &HeaderMap, body: Body) -> Result<Body, Problem> {
    let Err(problem) = body::check_coding(headers).and_then(|()| check_length(state, headers)) else {
        return Ok(body);
    };
    // A client that asks first has not sent anything yet, and need not.
    if !headers.contains_key(header::EXPECT) {
        body::drain(body.into_data_stream()).await;
    }
    Err(problem)
}

fn check_length(state: &AppState, headers: &HeaderMap) -> Result<(), Problem> {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_none_or(|length| length <= most_in_all(state)) { Ok(()) } else { Err(too_large(state)) }
}

/// 413.
pub fn too_large(state: &AppState) -> Problem {
    Problem::too_large(format!("A file may have at most {} bytes.", state.options.max_upload_bytes))
}
