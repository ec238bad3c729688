//! `chat maintain`: clean-ups by hand. They run as jobs, like those of the schedule.

use super::paused;
use crate::{
    args::Target,
    client::{Client, ClientError, Job},
    failure::{Exit, Failure, Outcome},
    link::Link,
    output::{self, Align, Table},
    run::Context,
    server::Crew,
    settings::data_option,
};
use chat_core::{Change, JobState, Lane, Tenant, ports::Ports};
use chat_jobs::{Schedule, schedules};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::json;
use std::{collections::BTreeSet, time::Duration};

const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Options of `chat maintain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which clean-up [default: all of them, one after the other]
    #[arg(value_parser = tasks())]
    task: Option<Schedule>,
    #[command(flatten)]
    target: Target,
}

fn tasks() -> impl TypedValueParser<Value = Schedule> {
    let named = |name: String| schedules().into_iter().find(|task| task.name == name);
    PossibleValuesParser::new(schedules().iter().map(|task| task.name))
        .try_map(move |name| named(name).ok_or("no such clean-up"))
}

/// Runs the clean-ups and waits for them.
pub async fn run(args: Args, context: Context) -> Outcome {
    let link = Link::open_existing(&context, &args.target, Crew::Lane(Lane::Maintenance)).await?;
    let tasks = args.task.map_or_else(schedules, |task| vec![task]);
    let work = paused::tell_during(&link, &["maintenance"], || 0, output::note, run_all(&link, &tasks));
    let done = context.interrupt.unless(Box::pin(work)).await;
    let left = left(&link).await;
    link.close().await;
    let Some(done) = done else {
        return Err(Failure::interrupted("clean-ups that were begun go on at the next start"));
    };
    let done = done?;
    show(&done, context.common.json);
    if left > 0 {
        let option = data_option(&context.settings);
        let jobs = output::counted(left, "job waits", "jobs wait");
        output::note(&format!("{jobs} for a worker: `chat up{option}` runs what was found to be done"));
    }
    let failed = done.iter().any(|(_, job)| job.state != JobState::Succeeded);
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// How many jobs wait that nobody runs: what has to be put right is enqueued, and this command does clean-ups only.
async fn left(link: &Link) -> u64 {
    if !link.is_private() {
        return 0;
    }
    let (Ok(lanes), Ok(workers)) = (link.client.lanes().await, link.client.workers().await) else { return 0 };
    let served: BTreeSet<_> =
        workers.iter().flat_map(|worker| &worker.lanes).map(|lane| &lane.name).collect();
    lanes.iter().filter(|lane| !served.contains(&lane.name)).map(|lane| lane.depth).sum()
}

/// A clean-up's name and the job that did it.
type Ended = (&'static str, Job);

async fn run_all(link: &Link, tasks: &[Schedule]) -> Outcome<Vec<Ended>> {
    let mut ended = Vec::with_capacity(tasks.len());
    for task in tasks {
        let id = enqueue(link, task).await?;
        ended.push((task.name, wait(&link.client, &id).await?));
    }
    Ok(ended)
}

/// Inside this process the job is enqueued directly; a server is asked for a tick of its schedule.
async fn enqueue(link: &Link, task: &Schedule) -> Outcome<String> {
    match link.ports() {
        Some(ports) => enqueue_here(ports, task).await,
        None => Ok(link.client.run_schedule(task.name).await.map_err(too_old)?.id),
    }
}

async fn enqueue_here(ports: &Ports, task: &Schedule) -> Outcome<String> {
    let job = (task.job)(&Tenant::default());
    let id = job.id.to_string();
    let recorded = ports.dispatcher().record(vec![Change::Enqueue(Box::new(job))]).await;
    recorded.map_err(|error| Failure::new(format!("the clean-up cannot be enqueued: {error}")))?;
    Ok(id)
}

fn too_old(error: ClientError) -> Failure {
    if error.is_not_found() {
        return Failure::new("this server cannot run clean-ups on request")
            .hint("stop it, then run `chat maintain`");
    }
    error.into()
}

async fn wait(client: &Client, id: &str) -> Outcome<Job> {
    loop {
        let job = client.job(id).await?;
        if job.state.is_final() {
            return Ok(job);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn show(ended: &[Ended], as_json: bool) {
    if as_json {
        let rows: Vec<_> = ended
            .iter()
            .map(|(task, job)| json!({"task": task, "state": job.state, "rows": rows(job), "seconds": seconds(job), "job": job.id, "error": job.last_error()}))
            .collect();
        return output::json(&rows);
    }
    let columns = [
        ("Task", Align::Left),
        ("State", Align::Left),
        ("Rows", Align::Right),
        ("Time", Align::Right),
        ("", Align::Left),
    ];
    let mut table = Table::new(columns);
    for (task, job) in ended {
        let rows = rows(job).map_or_else(String::new, output::count);
        let time = output::seconds(Duration::from_secs_f64(seconds(job)));
        let error = job.last_error().unwrap_or_default().to_owned();
        table.row([(*task).to_owned(), job.state.as_str().to_owned(), rows, time, error]);
    }
    table.print();
}

fn rows(job: &Job) -> Option<u64> {
    job.result.as_ref()?.get("rows")?.as_u64()
}

fn seconds(job: &Job) -> f64 {
    job.ran().map_or(0.0, |time| time.as_secs_f64())
}
