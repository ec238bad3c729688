//! `chat jobs retry`, `chat jobs cancel`

use crate::{
    client::{Client, ClientError, Job},
    failure::{Exit, Outcome},
    output::{self, Align, Table},
};
use chat_core::JobId;
use serde_json::json;

/// What is done to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Run it again.
    Retry,
    /// Stop it.
    Cancel,
}

/// Does it to every job that is named, and says of each how that went.
pub async fn run(client: &Client, verb: Verb, ids: &[JobId], as_json: bool) -> Outcome {
    let mut results = Vec::with_capacity(ids.len());
    for id in ids {
        match change(client, verb, &id.to_string()).await {
            Err(error @ ClientError::Unreachable { .. }) => return Err(error.into()),
            result => results.push((id, result)),
        }
    }
    if as_json {
        let rows = results.iter().map(|(id, result)| match result {
            Ok(job) => json!({"id": id, "ok": true, "state": job.state}),
            Err(error) => json!({"id": id, "ok": false, "error": error.to_string()}),
        });
        output::json(&rows.collect::<Vec<_>>());
    } else {
        let mut table = Table::new([("Id", Align::Left), ("Result", Align::Left)]);
        for (id, result) in &results {
            table.row([
                id.to_string(),
                result.as_ref().map_or_else(ToString::to_string, |job| done(verb, job)),
            ]);
        }
        table.print();
    }
    let failed = results.iter().any(|(_, result)| result.is_err());
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

async fn change(client: &Client, verb: Verb, id: &str) -> Result<Job, ClientError> {
    match verb {
        Verb::Retry => client.retry_job(id).await,
        Verb::Cancel => client.cancel_job(id).await,
    }
}

fn done(verb: Verb, job: &Job) -> String {
    match verb {
        Verb::Retry => format!("runs again ({})", job.kind),
        Verb::Cancel => format!("is being stopped ({})", job.kind),
    }
}
