//! A wait that has no end as long as a lane is paused: whoever waits is told, and how it goes on.

use crate::link::Link;
use std::{collections::BTreeSet, convert::Infallible, future::pending, time::Duration};
use tokio::time::sleep;

/// How long nothing may happen before somebody looks why.
const FIRST_LOOK: Duration = Duration::from_secs(1);
/// The longest time between two looks.
const LAST_LOOK: Duration = Duration::from_secs(30);

/// Waits for `work`. If nothing happens meanwhile, it says once of each of these lanes that it is paused; `steps` is
/// another number when something has happened.
pub async fn tell_during<T>(
    link: &Link,
    lanes: &[&str],
    steps: impl Fn() -> u64,
    say: impl Fn(&str),
    work: impl Future<Output = T>,
) -> T {
    tokio::select! {
        done = work => done,
        never = watch(link, lanes, steps, say) => match never {},
    }
}

async fn watch(link: &Link, lanes: &[&str], steps: impl Fn() -> u64, say: impl Fn(&str)) -> Infallible {
    let mut told = BTreeSet::new();
    let (mut before, mut pause) = (steps(), FIRST_LOOK);
    while told.len() < lanes.len() {
        sleep(pause).await;
        let now = steps();
        if std::mem::replace(&mut before, now) != now {
            pause = FIRST_LOOK;
            continue;
        }
        pause = (pause * 2).min(LAST_LOOK);
        // Who may not look at lanes is not told.
        let Ok(found) = link.client.lanes().await else { break };
        for lane in found.into_iter().filter(|lane| lane.paused && lanes.contains(&lane.name.as_str())) {
            if told.insert(lane.name.clone()) {
                say(&how_it_goes_on(link, &lane.name));
            }
        }
    }
    pending().await
}

fn how_it_goes_on(link: &Link, lane: &str) -> String {
    let command = format!("`chat lanes resume {lane}{}`", link.option());
    if link.is_private() {
        // This command has the data folder.
        format!("the lane {lane} is paused: press Ctrl-C, run {command}, then this command again")
    } else {
        format!("the lane {lane} is paused: nothing of it begins until somebody runs {command}")
    }
}
