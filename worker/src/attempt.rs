//! One attempt at one job: its limits, and what its end means.

use crate::{backend::Claimed, engine::Engine, finish, names};
use chat_core::{AttemptError, ErrorKind, Failure, Outcome, PortError};
use chat_jobs::{Done, Ending, Handler, JobContext, JobError};
use futures::FutureExt;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tracing::Instrument;

/// The first pause of a job that waits for what is away.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest such pause: soon after it is back, the job goes on.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// How long after a job was enqueued a pause that its model's provider asks for is no failure.
const PATIENCE: Duration = Duration::from_hours(24);
/// The shortest such pause: a provider that asks for less is not asked without end.
const SHORTEST: Duration = Duration::from_secs(1);
/// From this attempt on nothing more is kept of pauses: a history does not grow as long as a provider likes.
const MOST_TOLD: u32 = 300;

/// How a run ended, before it is known what that means for the job.
enum Run {
    Ended(Result<Done, JobError>),
    Cancelled,
    Abandoned,
}

/// Runs a claimed job and writes its end.
pub(crate) async fn run(engine: Arc<Engine>, Claimed { claim, slot }: Claimed) {
    let span = tracing::info_span!(
        "job",
        job.id = %claim.job,
        job.kind = %claim.kind,
        job.attempt = claim.attempt,
        trace_id = claim.trace.map(|trace| trace.trace_id()),
    );
    let cancel = engine.running.token(claim.held());
    let cx = JobContext::new(engine.ports.clone(), engine.job_options.clone(), claim, cancel);
    async {
        let started = tokio::time::Instant::now();
        let labels = finish::labels(&cx.claim);
        metrics::counter!(names::STARTED, &labels).increment(1);
        metrics::histogram!(names::WAIT_SECONDS, &labels)
            .record(cx.claim.claimed_at.since(cx.claim.run_at).as_secs_f64());
        let handler = engine.registry.get(&cx.claim.kind);
        let (outcome, done) = match handler {
            Some(handler) => attempt(&engine, handler, &cx).await,
            None => (unknown_kind(&cx), Done::default()),
        };
        metrics::histogram!(names::RUN_SECONDS, &labels).record(started.elapsed().as_secs_f64());
        drop(slot); // the next job can begin while this one's end is on its way to the disk
        finish::finish(&engine, &cx, handler, outcome, done).await;
        engine.running.forget(cx.claim.held());
    }
    .instrument(span)
    .await;
}

async fn attempt(engine: &Engine, handler: &dyn Handler, cx: &JobContext) -> (Outcome, Done) {
    if cx.claim.cancel_requested {
        return end(handler, cx, &Ending::Cancelled).await;
    }
    if cx.claim.attempt > cx.claim.max_attempts {
        let message = "its worker stopped without a word each time it was run";
        return give_up(handler, cx, &PortError::internal(message)).await;
    }
    match limited(engine, handler, cx).await {
        Run::Ended(Ok(done)) if done.cancelled => (Outcome::Cancelled, done),
        Run::Ended(Ok(mut done)) => (Outcome::Succeeded { result: done.result.take() }, done),
        Run::Ended(Err(error)) if error.cause().kind == ErrorKind::Stale => {
            tracing::warn!("the claim was lost while the job ran: its work is dropped");
            (Outcome::HandedBack, Done::default())
        }
        Run::Ended(Err(error)) => failed(handler, cx, &error).await,
        Run::Cancelled => end(handler, cx, &Ending::Cancelled).await,
        Run::Abandoned => (Outcome::HandedBack, Done::default()),
    }
}

/// Runs the handler until it ends, fails, panics, takes too long, is cancelled, or the worker has to go.
async fn limited(engine: &Engine, handler: &dyn Handler, cx: &JobContext) -> Run {
    let run = tokio::time::timeout(handler.timeout(), patiently(handler, cx));
    let run = AssertUnwindSafe(run).catch_unwind();
    let cancelled = async {
        cx.cancel.cancelled().await;
        if handler.ends_itself() {
            tokio::time::sleep(engine.options.cancel_grace).await;
        }
    };
    tokio::select! {
        biased;
        ended = run => Run::Ended(match ended {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(JobError::Retry(PortError::new(
                ErrorKind::Timeout,
                format!("it took longer than {} s", handler.timeout().as_secs()),
            ))),
            Err(panic) => Err(JobError::Retry(PortError::internal(format!("panic: {}", panic_text(&*panic))))),
        }),
        () = cancelled => Run::Cancelled,
        () = engine.abandon.cancelled() => Run::Abandoned,
    }
}

/// Runs the handler again, under the same claim, as long as something that it needs is away, or asks to slow down and does
/// not say for how long.
async fn patiently(handler: &dyn Handler, cx: &JobContext) -> Result<Done, JobError> {
    let mut pause = FIRST_PAUSE;
    loop {
        match handler.run(cx).await {
            Err(JobError::Retry(cause) | JobError::RetryAfter(_, cause))
                if handler.waits() && is_away(&cause) =>
            {
                tracing::warn!(error = %cause, source = cause.cause(), "a job waits: something that it needs is away");
                cx.ports.clock.sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            ended => return ended,
        }
    }
}

fn is_away(cause: &PortError) -> bool {
    matches!(cause.kind, ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::RateLimited)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("of an unknown kind")
}

/// The job says what a failure means; the engine counts.
pub(crate) async fn failed(handler: &dyn Handler, cx: &JobContext, error: &JobError) -> (Outcome, Done) {
    let cause = error.cause();
    let wait = match error {
        JobError::Fail(_) => None,
        JobError::Retry(_) => Some(handler.retry().wait(cx.claim.attempt, rand::random())),
        JobError::Wait(after, _) if cx.now().since(cx.claim.created_at) < PATIENCE => {
            return (deferred(cx, *after, cause), Done::default());
        }
        JobError::RetryAfter(wait, _) | JobError::Wait(wait, _) => Some(*wait),
    };
    match wait.filter(|_| cx.claim.attempt < cx.claim.max_attempts) {
        Some(after) => {
            tracing::warn!(error = %cause, source = cause.cause(), retry_in_ms = after.as_millis() as u64, "a job failed; it will be tried again");
            (Outcome::Retry { after, error: history(cx, cause) }, Done::default())
        }
        None => give_up(handler, cx, cause).await,
    }
}

/// The pause is the provider's wish, and no fault of the job.
fn deferred(cx: &JobContext, after: Duration, cause: &PortError) -> Outcome {
    tracing::info!(error = %cause, wait_ms = after.as_millis() as u64, "a job waits: its model's provider has asked for a pause");
    let told = !cause.unasked && cx.claim.attempt <= MOST_TOLD;
    Outcome::Deferred { after: after.max(SHORTEST), error: told.then(|| history(cx, cause)) }
}

async fn give_up(handler: &dyn Handler, cx: &JobContext, cause: &PortError) -> (Outcome, Done) {
    if cause.kind == ErrorKind::Invalid {
        // A file that cannot be read, a question that makes no sense: nothing that an operator could mend.
        tracing::warn!(error = %cause, source = cause.cause(), "a job failed for good");
    } else {
        tracing::error!(error = %cause, source = cause.cause(), "a job failed for good");
    }
    let failure = Failure { code: cause.kind.as_str().into(), message: cause.message.clone() };
    let (outcome, done) = end(handler, cx, &Ending::Dead(failure)).await;
    match outcome {
        Outcome::Cancelled => (Outcome::Dead { error: history(cx, cause) }, done),
        outcome => (outcome, done),
    }
}

/// What the kind writes at a bad end. If that cannot be known now, the job comes back for it.
async fn end(handler: &dyn Handler, cx: &JobContext, ending: &Ending) -> (Outcome, Done) {
    match AssertUnwindSafe(handler.end(cx, ending)).catch_unwind().await {
        Ok(Ok(done)) => (Outcome::Cancelled, done),
        Ok(Err(error)) if error.kind.is_retryable() => {
            let wait = handler.retry().wait(cx.claim.attempt, 1.0).max(Duration::from_secs(1));
            (Outcome::Retry { after: wait, error: history(cx, &error) }, Done::default())
        }
        Ok(Err(error)) => {
            tracing::error!(error = %error, "a job's end could not be prepared");
            (Outcome::Cancelled, Done::default())
        }
        Err(panic) => {
            tracing::error!(panic = panic_text(&*panic), "a job's end panicked");
            (Outcome::Cancelled, Done::default())
        }
    }
}

/// A newer replica may have enqueued it: whoever knows the kind takes it later.
fn unknown_kind(cx: &JobContext) -> Outcome {
    let error = PortError::internal(format!("this worker knows no job kind {}", cx.claim.kind));
    let error = history(cx, &error);
    if cx.claim.attempt < cx.claim.max_attempts {
        Outcome::Retry { after: Duration::from_secs(30), error }
    } else {
        Outcome::Dead { error }
    }
}

/// How a job's history remembers what went wrong.
pub(crate) fn history(cx: &JobContext, cause: &PortError) -> AttemptError {
    AttemptError {
        attempt: cx.claim.attempt,
        at: cx.now(),
        kind: cause.kind.as_str().into(),
        message: cause.message.clone(),
    }
}
