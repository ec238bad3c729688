//! The end of a run: its writes and its job's state in one transaction, tried until it is durable or the claim is
//! lost, and only then told to anybody.

use crate::{attempt, engine::Engine, names};
use chat_core::{Change, Claim, ErrorKind, Outcome, PortResult, Write};
use chat_jobs::{Done, Handler, JobContext, Registry};
use metrics::SharedString;
use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What every metric of a job is told apart by.
pub(crate) fn labels(claim: &Claim) -> [(&'static str, SharedString); 2] {
    [("kind", claim.kind.clone().into()), ("lane", claim.lane.as_str().into())]
}

/// Counters are there from the start: what is counted for the first time is an increase, too.
pub(crate) fn count_from_zero(registry: &Registry) {
    for handler in registry.handlers() {
        let labels: [(&str, SharedString); 2] =
            [("kind", handler.kind().into()), ("lane", handler.lane().as_str().into())];
        for name in names::COUNTED {
            metrics::counter!(name, &labels).increment(0);
        }
    }
}

/// Writes a run's end. If the store will never take it, the attempt has failed with that; and if it does not take what
/// follows from that either, the job is dead without more: it must not count as running as long as this worker lives.
pub(crate) async fn finish(
    engine: &Engine,
    cx: &JobContext,
    handler: Option<&dyn Handler>,
    outcome: Outcome,
    done: Done,
) {
    let Err(refused) = write_end(engine, cx, outcome, done).await else { return };
    let refused = match handler {
        Some(handler) => {
            let (outcome, done) = attempt::failed(handler, cx, &refused.into()).await;
            let Err(refused) = write_end(engine, cx, outcome, done).await else { return };
            refused
        }
        None => refused,
    };
    let outcome = Outcome::Dead { error: attempt::history(cx, &refused) };
    write_end(engine, cx, outcome, Done::default()).await.ok();
}

/// Writes an end, and tells it. An error: the store refuses it for good.
async fn write_end(engine: &Engine, cx: &JobContext, outcome: Outcome, done: Done) -> PortResult<()> {
    let Done { mut changes, publish, .. } = done;
    cx.carry_trace(&mut changes);
    let write = Write::finish(cx.claim.held(), outcome, changes);
    // Before the end is there: who sees it and asks again finds it counted. The tokens are gone in any case.
    charge(engine, cx, &write.changes).await;
    let mut pause = FIRST_PAUSE;
    loop {
        match engine.dispatcher.commit(write.clone()).await {
            Ok(_) => break,
            Err(error) if error.kind == ErrorKind::Stale => {
                tracing::warn!("another worker has this job by now: nothing was written");
                return Ok(());
            }
            Err(error) if error.kind.is_retryable() && engine.abandon.is_cancelled() => {
                // The lease runs out, and another attempt decides.
                tracing::error!(error = %error, source = error.cause(), "a job's end could not be written");
                return Ok(());
            }
            Err(error) if error.kind.is_retryable() => {
                tracing::warn!(error = %error, "a job's end could not be written yet");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => {
                tracing::error!(error = %error, source = error.cause(), "a job's end was refused");
                return Err(error);
            }
        }
    }
    for (stream, events) in publish {
        engine.ports.bus.publish(stream, Some(cx.claim.fence), &events).await;
        if let Some(last) = events.last() {
            engine.ports.bus.persisted(stream, last.seq);
        }
    }
    if let Some(outcome) = &write.outcome {
        count(&cx.claim, outcome);
    }
    Ok(())
}

/// Counts what models took against the quotas of whoever asked; once for each job, however often its end is tried.
async fn charge(engine: &Engine, cx: &JobContext, changes: &[Change]) {
    for change in changes {
        let Change::RecordUsage(entry) = change else { continue };
        let limits = cx.options.limits.tokens(entry.key);
        if !limits.is_empty() {
            engine.ports.limiter.spend(&entry.tenant, &limits, entry.usage.total_tokens, entry.job).await;
        }
    }
}

fn count(claim: &Claim, outcome: &Outcome) {
    let labels = labels(claim);
    match outcome {
        Outcome::Succeeded { .. } => metrics::counter!(names::FINISHED, &labels).increment(1),
        Outcome::Cancelled => metrics::counter!(names::CANCELLED, &labels).increment(1),
        Outcome::Retry { .. } => {
            metrics::counter!(names::FAILED, &labels).increment(1);
            metrics::counter!(names::RETRIED, &labels).increment(1);
        }
        Outcome::Dead { .. } => {
            metrics::counter!(names::FAILED, &labels).increment(1);
            metrics::counter!(names::DEAD, &labels).increment(1);
        }
        Outcome::Deferred { .. } => metrics::counter!(names::DEFERRED, &labels).increment(1),
        Outcome::HandedBack => {}
    }
}
