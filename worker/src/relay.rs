//! Feeds lanes from the backlog in fair order, and wakes jobs whose time has come.

use crate::engine::Engine;
use chat_core::{Lane, Timestamp};
use std::time::Duration;

/// The longest sleep: a job that another process delayed is noticed by then.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long to wait when the store does not answer.
const PAUSE: Duration = Duration::from_millis(200);

/// The last look for jobs that wait for a time.
struct Look {
    at: Timestamp,
    /// When the first of them can begin, if there is one.
    next_due: Option<Timestamp>,
}

impl Look {
    async fn now(engine: &Engine) -> Self {
        let next_due = promote(engine).await;
        Self { at: engine.ports.clock.now(), next_due }
    }

    /// How long until the next. Counted from this one, whatever was fed meanwhile: lanes that are hungry all the time
    /// must not put it off for ever.
    fn next_after(&self, now: Timestamp) -> Duration {
        let again = LOOK_AGAIN.saturating_sub(now.since(self.at));
        self.next_due.map_or(again, |due| due.since(now).min(again))
    }
}

pub(crate) async fn run(engine: &Engine) {
    // What an earlier process left behind.
    for (lane, _) in &engine.options.lanes {
        engine.ports.lanes.backlog(*lane);
    }
    let mut last = Look::now(engine).await;
    loop {
        let wait = last.next_after(engine.ports.clock.now());
        tokio::select! {
            biased; // The look first: lanes may be hungry all the time.
            () = engine.ports.clock.sleep(wait) => last = Look::now(engine).await,
            hungry = engine.ports.lanes.hungry(last.next_due) => {
                // Nobody is: a job became due earlier.
                if hungry.is_empty() {
                    last = Look::now(engine).await;
                }
                for (lane, room) in hungry {
                    feed(engine, lane, room).await;
                }
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeding_does_not_put_off_the_look_for_due_jobs() {
        let begun = Timestamp(1_000_000);
        let nothing_due = Look { at: begun, next_due: None };
        let fed_every_100_ms = (0..=60).map(|step| Timestamp(begun.0 + step * 100));
        let waits: Vec<_> = fed_every_100_ms.map(|now| nothing_due.next_after(now)).collect();
        assert_eq!(waits[0], LOOK_AGAIN);
        assert!(waits.windows(2).all(|two| two[1] < two[0] || two[1].is_zero()), "{waits:?}");
        assert_eq!(waits[50], Duration::ZERO, "five seconds after the last look");
    }

    #[test]
    fn a_job_is_looked_for_when_it_is_due_and_not_long_after_a_change_elsewhere() {
        let now = Timestamp(1_000_000);
        let due_in = |due: i64| Look { at: now, next_due: Some(Timestamp(now.0 + due)) }.next_after(now);
        assert_eq!(due_in(300), Duration::from_millis(300));
        assert_eq!(due_in(-1), Duration::ZERO);
        assert_eq!(due_in(3_600_000), LOOK_AGAIN, "another process may have delayed an earlier one");
    }
}
