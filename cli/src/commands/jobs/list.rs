//! `chat jobs list`

use crate::{
    client::{Client, Job, JobQuery},
    failure::{Exit, Outcome},
    output::{self, Align, Table},
    values,
};
use chat_core::{JobState, Lane};
use clap::builder::PossibleValuesParser;
use std::time::Duration;

/// Options of `chat jobs list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only in these states, separated by commas
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(JobState::ALL.map(JobState::as_str)))]
    state: Vec<String>,
    /// Only of this kind, for instance `answer_turn.v1`
    #[arg(long, value_parser = values::name)]
    kind: Option<String>,
    /// Only in this lane
    #[arg(long, value_parser = PossibleValuesParser::new(Lane::ALL.map(Lane::as_str)))]
    lane: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

/// Lists jobs.
pub async fn run(client: &Client, args: &Args, json: bool) -> Outcome {
    let query = JobQuery {
        state: (!args.state.is_empty()).then(|| args.state.join(",")),
        kind: args.kind.clone(),
        lane: args.lane.clone(),
        limit: args.limit as usize,
    };
    let (jobs, has_more) = client.jobs(&query).await?;
    if json {
        output::json(&jobs);
        return Ok(Exit::Done);
    }
    if jobs.is_empty() {
        output::note("no such jobs");
        return Ok(Exit::Done);
    }
    table(&jobs).print();
    if has_more {
        output::note(&format!("there are more: --limit {}", args.limit.saturating_mul(10)));
    }
    Ok(Exit::Done)
}

fn table(jobs: &[Job]) -> Table {
    let left = |name| (name, Align::Left);
    let right = |name| (name, Align::Right);
    let mut table = Table::new([
        left("Id"),
        left("Kind"),
        left("Lane"),
        left("State"),
        right("Attempt"),
        left("Created"),
        right("Ran"),
        left("Note"),
    ])
    .expendable([2, 4, 5, 6])
    .below(7);
    for job in jobs {
        table.row([
            job.id.clone(),
            job.kind.clone(),
            job.lane.clone(),
            job.state.as_str().to_owned(),
            format!("{}/{}", job.attempt, job.max_attempts),
            job.created_at.to_datetime().format("%m-%d %H:%M:%S").to_string(),
            job.ran().map_or_else(String::new, milliseconds),
            note(job),
        ]);
    }
    table
}

fn milliseconds(time: Duration) -> String {
    if time < Duration::from_secs(1) { format!("{} ms", time.as_millis()) } else { output::seconds(time) }
}

/// Why it is where it is.
fn note(job: &Job) -> String {
    match (job.last_error(), &job.waiting_for) {
        (Some(error), _) => error.chars().take(80).collect(),
        (None, Some(what)) => format!("waits for {what}"),
        (None, None) => String::new(),
    }
}
