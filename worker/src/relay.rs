//! Feeds lanes from the backlog in fair order, and wakes jobs whose time has come.

use crate::engine::Engine;
use chat_core::{Lane, Timestamp};
use std::time::Duration;

/// The longest sleep: a job that another process delayed is noticed by then.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long to wait when the store does not answer.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) async fn run(engine: &Engine) {
    // What an earlier process left behind.
    for (lane, _) in &engine.options.lanes {
        engine.ports.lanes.backlog(*lane);
    }
    let (mut next_due, mut looked) = (promote(engine).await, engine.ports.clock.now());
    loop {
        let now = engine.ports.clock.now();
        // Counted from the last look: lanes that are hungry all the time must not put it off for ever.
        let again = LOOK_AGAIN.saturating_sub(now.since(looked));
        let wait = next_due.map_or(again, |due| due.since(now)).min(again);
        let look = tokio::select! {
            biased;
            () = engine.ports.clock.sleep(wait) => true,
            hungry = engine.ports.lanes.hungry(next_due) => {
                let told = hungry.is_empty();
                for (lane, room) in hungry {
                    feed(engine, lane, room).await;
                }
                told
            }
        };
        if look {
            (next_due, looked) = (promote(engine).await, engine.ports.clock.now());
        }
    }
}

async fn promote(engine: &Engine) -> Option<Timestamp> {
    loop {
        match engine.ports.store.promote_due().await {
            Ok((lanes, next)) => {
                for lane in lanes {
                    engine.ports.lanes.backlog(lane);
                }
                // A full step: there is more that is due already.
                if next.is_none_or(|next| next > engine.ports.clock.now()) {
                    return next;
                }
            }
            Err(error) => {
                tracing::warn!(error = %error, "due jobs could not be looked up");
                engine.ports.clock.sleep(PAUSE).await;
            }
        }
    }
}

async fn feed(engine: &Engine, lane: Lane, room: usize) {
    match engine.ports.store.hand_out(lane, room).await {
        Ok(ready) => {
            if ready.len() < room {
                engine.ports.lanes.drained(lane);
            }
            for job in ready {
                engine.ports.lanes.offer(job).await;
            }
        }
        Err(error) => {
            tracing::warn!(lane = lane.as_str(), error = %error, "the backlog could not be read");
            engine.ports.clock.sleep(PAUSE).await;
        }
    }
}
