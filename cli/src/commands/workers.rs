//! `chat workers`: who runs jobs.

use crate::{
    args::Target,
    client::{Worker, WorkerLane},
    failure::{Exit, Failure, Outcome},
    link::Link,
    output::{self, Align, Table},
    run::Context,
    server::Crew,
};

/// Options of `chat workers`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
}

/// Lists the workers that live.
pub async fn run(args: Args, context: Context) -> Outcome {
    let link = Link::open_existing(&context, &args.target, Crew::Nobody).await?;
    let listed = context.interrupt.unless(link.client.workers()).await;
    link.close().await;
    let Some(workers) = listed else { return Err(Failure::interrupted("nothing was changed")) };
    let workers = workers?;
    if context.common.json {
        output::json(&workers);
    } else if workers.is_empty() {
        output::note("no worker lives: `chat worker` starts one, `chat up` brings its own");
    } else {
        table(&workers).print();
    }
    Ok(Exit::Done)
}

fn table(workers: &[Worker]) -> Table {
    let columns = [
        ("Id", Align::Left),
        ("Version", Align::Left),
        ("Started", Align::Left),
        ("Last seen", Align::Left),
        ("Running", Align::Right),
        ("Lanes", Align::Left),
    ];
    let mut table = Table::new(columns).expendable([2, 3]).below(5);
    for worker in workers {
        table.row([
            worker.id.clone(),
            worker.version.clone(),
            worker.started_at.map_or_else(|| "-".to_owned(), |at| at.to_string()),
            worker.last_seen.to_string(),
            output::count(worker.running),
            worker.lanes.iter().map(lane).collect::<Vec<_>>().join(" "),
        ]);
    }
    table
}

fn lane(lane: &WorkerLane) -> String {
    lane.slots.map_or_else(|| lane.name.clone(), |slots| format!("{}={slots}", lane.name))
}
