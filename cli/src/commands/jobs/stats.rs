//! `chat jobs stats`

use crate::{
    client::{Client, ClientError},
    failure::{Exit, Failure, Outcome},
    output::{self, Align, Table},
};

/// Counts what waits and runs, by lane.
pub async fn run(client: &Client, json: bool) -> Outcome {
    let lanes = client.lanes().await.map_err(too_old)?;
    if json {
        output::json(&lanes);
        return Ok(Exit::Done);
    }
    let columns = [
        ("Lane", Align::Left),
        ("Waiting", Align::Right),
        ("Running", Align::Right),
        ("Oldest waiting", Align::Right),
    ];
    let mut table = Table::new(columns);
    for lane in lanes {
        let (depth, running) = (output::count(lane.depth), output::count(lane.running));
        table.row([lane.name.clone(), depth, running, lane.oldest_waiting()]);
    }
    table.print();
    Ok(Exit::Done)
}

fn too_old(error: ClientError) -> Failure {
    if error.is_not_found() {
        return Failure::new("this server does not count its jobs")
            .hint("its metrics do: `jobs_queue_depth`");
    }
    error.into()
}
