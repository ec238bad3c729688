//! Whether something would come of running an ended job again.

use crate::{problem::Problem, state::AppState};
use chat_core::{ErrorKind, Job, JobId, VersionId};
use chat_jobs::{AnswerTurn, EmbedTexts, IndexDocument, IngestDocument, JobKind};
use serde::Deserialize;

/// Kinds whose end takes away what they would need.
pub const ENDED_FOR_GOOD: [&str; 1] = [EmbedTexts::KIND];

/// A conflict that says why not, and what to do instead.
pub async fn check(state: &AppState, job: &Job) -> Result<(), Problem> {
    match job.kind.as_str() {
        AnswerTurn::KIND => match AnswerTurn::deserialize(&job.payload) {
            Ok(turn) => check_turn(state, job, &turn).await,
            Err(_) => Ok(()),
        },
        IngestDocument::KIND => match IngestDocument::deserialize(&job.payload) {
            Ok(ingest) => check_version(state, job, ingest.version).await,
            Err(_) => Ok(()),
        },
        IndexDocument::KIND => match IndexDocument::deserialize(&job.payload) {
            Ok(index) => check_version(state, job, index.version).await,
            Err(_) => Ok(()),
        },
        EmbedTexts::KIND => Err(Problem::conflict(
            "The texts were removed when the job ended. Send them again to POST /api/v1/embeddings.",
        )),
        _ => match job.parent {
            Some(parent) => check_parent(state, parent).await,
            None => Ok(()),
        },
    }
}

/// A turn that has ended is over, and its readers know: only another response can follow.
async fn check_turn(state: &AppState, job: &Job, turn: &AnswerTurn) -> Result<(), Problem> {
    match state.ports.store.response(&job.tenant, turn.response).await {
        Ok(response) if !response.status.is_final() => Ok(()),
        Ok(response) => Err(Problem::conflict(format!(
            "The turn has ended: its response is {}. Another one comes from POST /api/v1/responses/{}/regenerate.",
            response.status.as_str(),
            response.id
        ))),
        Err(error) if error.kind == ErrorKind::NotFound => {
            Err(Problem::conflict("The turn's conversation was deleted."))
        }
        Err(error) => Err(error.into()),
    }
}

/// Only the newest version of a document is read again.
async fn check_version(state: &AppState, job: &Job, version: VersionId) -> Result<(), Problem> {
    let Some(document) = job.document else { return Ok(()) };
    match state.ports.store.document(&job.tenant, document).await {
        Ok(document) if document.version_id == version => Ok(()),
        Ok(document) => Err(Problem::conflict(format!(
            "The document has another version by now: see {}, its job.",
            document.job
        ))),
        Err(error) if error.kind == ErrorKind::NotFound => {
            Err(Problem::conflict("The document was deleted."))
        }
        Err(error) => Err(error.into()),
    }
}

/// A child works for its parent.
async fn check_parent(state: &AppState, parent: JobId) -> Result<(), Problem> {
    match state.ports.store.job(None, parent).await {
        Ok(job) if !job.state.is_final() => Ok(()),
        Ok(job) => Err(Problem::conflict(format!(
            "Nobody waits for it: {parent} is {}. If that failed, retry that one.",
            job.state.as_str()
        ))),
        Err(error) if error.kind == ErrorKind::NotFound => {
            Err(Problem::conflict("Nobody waits for it: the job that did is gone."))
        }
        Err(error) => Err(error.into()),
    }
}
