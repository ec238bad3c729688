//! Waits for a job's result.

use crate::{
    caller::Caller,
    problem::{Code, Problem},
    state::AppState,
};
use axum::http::StatusCode;
use chat_core::{ErrorKind, Job, JobId, JobState};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// The first wait between two looks.
const FIRST_LOOK: Duration = Duration::from_millis(2);
/// The longest such wait.
const LAST_LOOK: Duration = Duration::from_millis(250);

/// The job's result; `None` if it is not there in time.
pub async fn vectors_of(state: &AppState, caller: &Caller, id: JobId) -> Result<Option<Value>, Problem> {
    let deadline = Instant::now() + state.options.job_wait;
    let mut look = FIRST_LOOK;
    while Instant::now() < deadline && !state.draining.is_cancelled() {
        let job = state.ports.store.job(Some(&caller.tenant), id).await?;
        if job.state.is_final() {
            return result(job).map(Some);
        }
        tokio::time::sleep(look).await;
        look = (look * 2).min(LAST_LOOK);
    }
    Ok(None)
}

fn result(job: Job) -> Result<Value, Problem> {
    match (job.state, job.result) {
        (JobState::Succeeded, Some(result)) => Ok(result),
        _ if job.errors.last().is_some_and(|error| error.kind == ErrorKind::Invalid.as_str()) => {
            let message = format!("was rejected by the embedding model; the job {} says why", job.id);
            Err(Problem::field("input", message))
        }
        (JobState::Cancelled, _) => Err(Problem::conflict(format!("The job {} was cancelled.", job.id))),
        _ => {
            // Why it failed is in the job's history; another try is `POST /jobs/{id}/retry`.
            let detail = format!("The texts could not be embedded; the job {} says why.", job.id);
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::ProviderUnavailable, detail))
        }
    }
}
