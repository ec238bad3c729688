//! `chat jobs show`

use crate::{
    client::{Client, Job},
    failure::{Exit, Outcome},
    output::{self, Align, Table},
};
use chat_core::Timestamp;
use serde_json::Value;

/// Shows one job.
pub async fn run(client: &Client, id: &str, json: bool) -> Outcome {
    let job = client.job(id).await?;
    if json {
        output::json(&job);
        return Ok(Exit::Done);
    }
    let mut table = Table::without_header([Align::Left, Align::Left]);
    for (name, value) in facts(&job) {
        table.row([name.to_owned(), value]);
    }
    table.print();
    if !job.errors.is_empty() {
        output::line("\nErrors");
        errors(&job).print();
    }
    Ok(Exit::Done)
}

fn facts(job: &Job) -> Vec<(&'static str, String)> {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let rest = |name: &str| job.rest.get(name).map(plain);
    let facts = [
        ("Id", Some(job.id.clone())),
        ("Kind", Some(job.kind.clone())),
        ("Lane", Some(job.lane.clone())),
        ("State", Some(job.state.as_str().to_owned())),
        ("Attempt", Some(format!("{} of {}", job.attempt, job.max_attempts))),
        ("Waits for", job.waiting_for.clone()),
        ("Worker", rest("worker")),
        ("Session", rest("session_id")),
        ("Document", rest("document_id")),
        ("Parent", rest("parent")),
        ("Progress", rest("progress")),
        ("Result", job.result.as_ref().map(plain)),
        ("Created", time(Some(job.created_at))),
        ("Due", time(Some(job.run_at))),
        ("Started", time(job.started_at)),
        ("Finished", time(job.finished_at)),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn errors(job: &Job) -> Table {
    let columns =
        [("Attempt", Align::Right), ("At", Align::Left), ("Kind", Align::Left), ("Message", Align::Left)];
    let mut table = Table::new(columns);
    for error in &job.errors {
        table.row([
            error.attempt.to_string(),
            error.at.to_string(),
            error.kind.clone(),
            error.message.clone(),
        ]);
    }
    table
}
