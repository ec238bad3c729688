//! `chat up`: everything in one process.

mod banner;
mod browser;

use crate::{
    failure::{Exit, Failure, Outcome},
    output,
    run::Context,
    server::{Crew, Reach, Server},
    telemetry::TOLD,
};
use chat_config::LogFormat;
use std::time::{Duration, Instant};

/// Options of `chat up`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The port of the HTTP interface; 0 takes any free one [default: PORT, 8000]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Worker engines in this process
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// Open the interface's documentation in a browser
    #[arg(long)]
    open: bool,
}

impl Args {
    /// The options that are settings.
    pub fn overrides(&self) -> Vec<(String, String)> {
        self.port.map(|port| ("PORT".to_owned(), port.to_string())).into_iter().collect()
    }
}

/// Serves until Ctrl-C or SIGTERM.
pub async fn run(args: Args, context: Context) -> Outcome {
    let begun = Instant::now();
    let settings = &context.settings;
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    let crew = Crew::Engines(args.workers.into());
    let starting = Server::start(settings, Reach::Public, crew, &context.telemetry.metrics);
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
        workers = args.workers,
        ready_ms = begun.elapsed().as_millis() as u64,
        "listening"
    );
    // A program reads the standard output then: one object a line and nothing else.
    let for_people = settings.log.format == LogFormat::Pretty;
    if for_people {
        banner::print(settings, &server, begun.elapsed());
    }
    if args.open {
        browser::open(&format!("{}/docs", server.url()));
    }
    let broken = tokio::select! {
        () = context.interrupt.wait() => None,
        failure = server.broken() => Some(failure),
    };
    drain(server, settings.http.grace_period, for_people).await;
    broken.map_or(Ok(Exit::Done), Err)
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
