//! Uploads that are no form: a body as it is, or text.

use super::{Staged, StagedFile, Staging, media_type};
use crate::{body, caller::Caller, problem::Problem, state::AppState};
use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::Bytes;

/// Reads a body as one file of this name.
pub async fn read_raw(
    state: &AppState,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
    filename: String,
) -> Result<StagedFile, Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut pieces = body.into_data_stream();
    let (media_type, charset) = match media_type::choose(given, &filename) {
        Ok(chosen) => chosen,
        Err(message) => {
            body::drain(pieces).await;
            return Err(Problem::field("Content-Type", message));
        }
    };
    let mut staging = Staging::begin(state, &caller.tenant);
    while let Some(piece) = body::next(&mut pieces).await? {
        if let Err(problem) = staging.write(state, piece).await {
            drop(staging);
            body::drain(pieces).await;
            return Err(problem);
        }
    }
    let blob = staging.finish().await?;
    if blob.bytes == 0 {
        return Err(Problem::field("body", "is empty"));
    }
    Ok(StagedFile { blob, filename, media_type, charset })
}

/// Stores a text as a file.
pub async fn stage_text(state: &AppState, caller: &Caller, text: String) -> Result<Staged, Problem> {
    let mut staging = Staging::begin(state, &caller.tenant);
    staging.write(state, Bytes::from(text)).await?;
    staging.finish().await
}
