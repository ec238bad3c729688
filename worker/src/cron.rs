//! Enqueues what is scheduled. Every worker does so: the tick is the job's unique key, so it runs once.

use crate::engine::Engine;
use chat_core::{Change, NewJob, Tenant, Timestamp, Unique};
use chat_jobs::Schedule;
use std::{str::FromStr, time::Duration};

/// The longest sleep, so that a clock that was set is noticed.
const LOOK_AGAIN: Duration = Duration::from_mins(10);
const PAUSE: Duration = Duration::from_secs(5);

/// One schedule, for ever.
pub(crate) async fn run(engine: &Engine, schedule: &Schedule) {
    let Ok(times) = cron::Schedule::from_str(schedule.cron) else {
        tracing::error!(schedule = schedule.name, cron = schedule.cron, "a schedule cannot be read");
        return;
    };
    let mut last = last_tick(engine, schedule).await;
    loop {
        let now = engine.ports.clock.now();
        if let Some(tick) = latest_due(&times, last, now) {
            if enqueue(engine, schedule, tick).await {
                last = tick;
            } else {
                engine.ports.clock.sleep(PAUSE).await;
            }
        } else {
            let next = times.after(&now.to_datetime()).next().map(Timestamp::from);
            let wait = next.map_or(LOOK_AGAIN, |next| next.since(now)).min(LOOK_AGAIN);
            engine.ports.clock.sleep(wait).await;
        }
    }
}

/// A schedule that never ran begins now; otherwise it goes on after its last tick.
async fn last_tick(engine: &Engine, schedule: &Schedule) -> Timestamp {
    loop {
        match engine.ports.store.last_tick(schedule.name).await {
            Ok(last) => return last.unwrap_or_else(|| engine.ports.clock.now()),
            Err(error) => {
                tracing::warn!(schedule = schedule.name, error = %error, "the last tick could not be looked up");
                engine.ports.clock.sleep(PAUSE).await;
            }
        }
    }
}

/// However many ticks were missed, one is caught up with: the latest.
fn latest_due(times: &cron::Schedule, last: Timestamp, now: Timestamp) -> Option<Timestamp> {
    times.after(&last.to_datetime()).map(Timestamp::from).take_while(|tick| *tick <= now).take(100_000).last()
}

async fn enqueue(engine: &Engine, schedule: &Schedule, tick: Timestamp) -> bool {
    let job = scheduled(schedule, tick);
    match engine.dispatcher.record(vec![Change::Enqueue(Box::new(job))]).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(schedule = schedule.name, error = %error, "a tick could not be enqueued");
            false
        }
    }
}

fn scheduled(schedule: &Schedule, tick: Timestamp) -> NewJob {
    let key = format!("cron:{}:{:014}", schedule.name, tick.0);
    let unique = Some(Unique { key, while_unfinished: false });
    NewJob { unique, ..(schedule.job)(&Tenant::default()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_long_absence_is_one_tick() {
        let hourly = cron::Schedule::from_str("0 0 * * * *").unwrap();
        let hour = 3_600_000;
        let last = Timestamp(1_700_000_000_000 / hour * hour);
        assert_eq!(latest_due(&hourly, last, Timestamp(last.0 + hour - 1)), None);
        assert_eq!(
            latest_due(&hourly, last, Timestamp(last.0 + 5 * hour + 7)),
            Some(Timestamp(last.0 + 5 * hour))
        );
    }
}
