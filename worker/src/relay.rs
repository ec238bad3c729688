//! Wakes jobs whose time has come.

use crate::engine::Engine;
use chat_core::Timestamp;
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
    loop {
        let next_due = promote(engine).await;
        let wait = until(next_due, engine.ports.clock.now());
        tokio::select! {
            () = engine.ports.clock.sleep(wait) => {}
            () = engine.ports.lanes.due_before(next_due) => {}
        }
    }
}

/// How long until the next look.
fn until(next_due: Option<Timestamp>, now: Timestamp) -> Duration {
    next_due.map_or(LOOK_AGAIN, |due| due.since(now).min(LOOK_AGAIN))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_looked_for_when_it_is_due_and_not_long_after_a_change_elsewhere() {
        let now = Timestamp(1_000_000);
        let due_in = |due: i64| until(Some(Timestamp(now.0 + due)), now);
        assert_eq!(due_in(300), Duration::from_millis(300));
        assert_eq!(due_in(-1), Duration::ZERO);
        assert_eq!(due_in(3_600_000), LOOK_AGAIN, "another process may have delayed an earlier one");
    }
}
