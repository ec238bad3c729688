//! Runs a command: settings, telemetry, runtime.

use crate::{
    args::{Cli, Command, Common},
    commands,
    failure::{Failure, Outcome},
    interrupt::Interrupt,
    settings,
    telemetry::{Console, Telemetry},
};
use chat_config::Settings;
use std::{num::NonZero, time::Duration};

/// How long what a command has left behind gets to end.
const LEFT_OVER: Duration = Duration::from_millis(500);

/// What every command gets.
pub struct Context {
    /// The options that every command has.
    pub common: Common,
    /// The settings.
    pub settings: Settings,
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Fires at Ctrl-C.
    pub interrupt: Interrupt,
}

/// Runs what the command line says.
pub fn run(cli: Cli) -> Outcome {
    let overrides = match &cli.command {
        Command::Up(args) => args.overrides(),
        Command::Api(args) => args.overrides(),
        Command::Worker(args) => args.overrides(),
        _ => Vec::new(),
    };
    let settings = settings::load(&cli.common, overrides)?;
    let console = match (&cli.command, cli.common.verbose) {
        (Command::Up(_) | Command::Api(_) | Command::Worker(_), _) if cli.common.json => Console::Aside,
        (Command::Up(_) | Command::Api(_) | Command::Worker(_), _) => Console::Server,
        (_, true) => Console::Verbose,
        (_, false) => Console::Quiet,
    };
    // Several TLS back ends could be there: this one is built.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads(&settings))
        .thread_name("chat")
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("the threads cannot be started: {error}")))?;
    let telemetry = Telemetry::install(&settings, console)?;
    let outcome = runtime.block_on(async {
        let context = Context { common: cli.common, settings, telemetry, interrupt: Interrupt::listen() };
        Box::pin(execute(cli.command, context)).await
    });
    // What the command needs has ended. A read that does not come back would keep the process for ever, and nobody
    // hears signals any more.
    runtime.shutdown_timeout(LEFT_OVER);
    outcome
}

async fn execute(command: Command, context: Context) -> Outcome {
    match command {
        Command::Up(args) => commands::up::run(args, context).await,
        Command::Api(_) => commands::api::run(context).await,
        Command::Worker(args) => commands::worker::run(args, context).await,
        Command::Ask(args) => commands::ask::run(args, context).await,
        Command::Ingest(args) => commands::ingest::run(args, context).await,
        Command::Jobs(args) => commands::jobs::run(args, context).await,
        Command::Lanes(args) => commands::lanes::run(args, context).await,
        Command::Workers(args) => commands::workers::run(args, context).await,
        Command::Keys(args) => commands::keys::run(args, context).await,
        Command::Usage(args) => commands::usage::run(args, context).await,
        Command::Maintain(args) => Box::pin(commands::maintain::run(args, context)).await,
        Command::Migrate => commands::migrate::run(&context).await,
        Command::Init => commands::init::run(&context).await,
        Command::Bench(args) => Box::pin(commands::bench::run(args, context)).await,
        Command::Config(args) => Ok(commands::config::run(&args, &context.common, &context.settings)),
    }
}

fn threads(settings: &Settings) -> usize {
    match settings.worker.threads {
        0 => std::thread::available_parallelism().map_or(2, NonZero::get),
        threads => threads as usize,
    }
}
