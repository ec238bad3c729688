//! `chat lanes list`

use crate::{
    client::{Client, LaneState},
    failure::{Exit, Outcome},
    output::{self, Align, Table},
};

/// Lists lanes.
pub async fn run(client: &Client, json: bool) -> Outcome {
    show(&client.lanes().await?, json);
    Ok(Exit::Done)
}

/// These lanes, as JSON or as a table.
pub(super) fn show(lanes: &[LaneState], json: bool) {
    if json {
        return output::json(&lanes);
    }
    let columns = [
        ("Lane", Align::Left),
        ("State", Align::Left),
        ("Waiting", Align::Right),
        ("Running", Align::Right),
        ("Ended/s", Align::Right),
        ("Oldest waiting", Align::Right),
    ];
    let mut table = Table::new(columns);
    for lane in lanes {
        table.row([
            lane.name.clone(),
            state(lane),
            output::count(lane.depth),
            output::count(lane.running),
            format!("{:.1}", lane.rate),
            lane.oldest_waiting(),
        ]);
    }
    table.print();
}

fn state(lane: &LaneState) -> String {
    match (lane.paused, lane.paused_at) {
        (true, Some(at)) => format!("paused since {at}"),
        (true, None) => "paused".to_owned(),
        (false, _) => "open".to_owned(),
    }
}
