//! What `up`, `api` and `worker` have in common: start, say so, serve until asked to stop, drain.

use crate::{
    failure::{Exit, Failure, Outcome},
    hangup, output,
    run::Context,
    server::{Crew, Reach, Server},
    telemetry::TOLD,
};
use chat_config::{LogFormat, Settings};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Serves until Ctrl-C or SIGTERM. `ready` is told how long the start took; what it prints is for people, so it is
/// asked only where nothing on the standard output is for a program: neither the log nor, with `--json`, one line.
pub async fn serve(
    context: Context,
    reach: Reach,
    crew: Crew,
    ready: impl FnOnce(&Context, &Server, Duration),
) -> Outcome {
    let begun = Instant::now();
    let settings = &context.settings;
    hangup::listen(context.telemetry.reopening());
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    let starting = Server::start(settings, reach, crew, &context.telemetry.metrics);
    let Some(server) = context.interrupt.unless(starting).await else {
        return Err(Failure::interrupted("the server was still starting"));
    };
    let mut server = server?;
    tracing::info!(
        target: TOLD,
        url = server.url(),
        metrics = server.metrics_url(),
        data = %settings.data_dir.display(),
        llm.model = settings.llm.model,
        embedding.model = settings.embedding.model,
        ready_ms = begun.elapsed().as_millis() as u64,
        "ready"
    );
    let for_people = settings.log.format == LogFormat::Pretty && !context.common.json;
    if context.common.json {
        output::json_line(&where_it_is(settings, &server, begun.elapsed()));
    } else if for_people {
        ready(&context, &server, begun.elapsed());
    }
    let broken = tokio::select! {
        () = context.interrupt.wait() => None,
        failure = server.broken() => Some(failure),
    };
    drain(server, settings.http.grace_period, for_people).await;
    broken.map_or(Ok(Exit::Done), Err)
}

/// What a program needs that has started this one.
fn where_it_is(settings: &Settings, server: &Server, ready: Duration) -> Value {
    let data = &settings.data_dir;
    json!({
        "url": server.url(),
        "metrics": server.metrics_url(),
        "data": data.canonicalize().unwrap_or_else(|_| data.clone()),
        "model": settings.llm.model,
        "embedding_model": settings.embedding.model,
        "pid": std::process::id(),
        "version": env!("CARGO_PKG_VERSION"),
        "ready_ms": ready.as_millis() as u64,
    })
}

async fn drain(server: Server, grace: Duration, for_people: bool) {
    let running = server.running();
    tracing::info!(target: TOLD, running, grace_seconds = grace.as_secs(), "stopping");
    if for_people {
        let seconds = grace.as_secs();
        output::note(&match running {
            0 => "\nStopping.".to_owned(),
            jobs => format!(
                "\nStopping: {jobs} running job(s) get up to {seconds} s. Ctrl-C again stops at once; nothing is lost."
            ),
        });
    }
    server.stop(grace).await;
    tracing::info!(target: TOLD, "stopped");
}
