//! `chat bench`: measures this build on this machine. Every run has a fresh folder inside the data folder, removed
//! afterwards; models and other settings are the configured ones.

mod backlog;
mod direct;
mod figures;
mod ingest;
mod jobs;
mod pickup;
mod probe;
mod rig;
mod sockets;
mod submit;
mod turns;

use crate::{
    failure::{Exit, Failure, Outcome},
    run::Context,
    values,
};
use clap::Subcommand;
use std::path::PathBuf;

/// Options of `chat bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
    /// How often it is measured
    #[arg(long, global = true, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    runs: u32,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Jobs that do nothing: enqueued, drained, and both at once
    Jobs {
        /// How many jobs a run
        #[arg(long, default_value_t = 50_000, value_parser = values::some)]
        count: usize,
    },
    /// From the commit of a job to its handler, when nothing else is to do
    Pickup {
        /// How many jobs a run
        #[arg(long, default_value_t = 1_000, value_parser = values::some)]
        count: usize,
    },
    /// Drain rate with few and with many waiting jobs
    Backlog {
        /// How many wait
        #[arg(long, default_value_t = 200_000, value_parser = values::some)]
        count: usize,
    },
    /// Turns over HTTP: until `response.queued`, until the first piece, until the end
    Turns {
        /// How many turns a run
        #[arg(long, default_value_t = 300, value_parser = values::some)]
        count: usize,
        /// How many at a time
        #[arg(long, default_value_t = 1, value_parser = values::some)]
        concurrency: usize,
        /// How many passages there are to search
        #[arg(long, default_value_t = 1_000)]
        chunks: usize,
        /// A running server to ask, so that its memory and time are not this command's too
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
    /// Many turns at once, followed by sockets: interfaces and a worker of their own where engines are configured
    Sockets {
        /// How many turns at a time
        #[arg(long, default_value_t = 1_000, value_parser = values::some)]
        turns: usize,
        /// How many sockets follow them
        #[arg(long, default_value_t = 2_000, value_parser = values::some)]
        sockets: usize,
        /// How many interfaces
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=64))]
        apis: u8,
        /// How many tokens an answer has
        #[arg(long, default_value_t = 100, value_parser = values::some)]
        tokens: usize,
        /// How fast the model speaks
        #[arg(long, default_value_t = 10.0)]
        tokens_per_second: f64,
        /// Over how many seconds the turns begin; 0: as fast as they are accepted
        #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=40))]
        over: u8,
    },
    /// Turns accepted over HTTP by one interface, while nobody works
    Submit {
        /// How many turns a run
        #[arg(long, default_value_t = 20_000, value_parser = values::some)]
        count: usize,
        /// How many callers
        #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
        callers: u16,
        /// Give every turn an `Idempotency-Key`
        #[arg(long)]
        keyed: bool,
    },
    /// Parsing and chunking, on one core
    Ingest {
        /// Files and folders; generated Markdown in English and Chinese without any
        paths: Vec<PathBuf>,
    },
}

/// Measures and shows.
pub async fn run(args: Args, context: Context) -> Outcome {
    let rig = rig::Rig::new(&context, args.runs)?;
    let measured = context
        .interrupt
        .unless(Box::pin(async {
            match args.what {
                What::Jobs { count } => jobs::measure(&rig, count).await,
                What::Pickup { count } => pickup::measure(&rig, count).await,
                What::Backlog { count } => backlog::measure(&rig, count).await,
                What::Turns { count, concurrency, chunks, server } => {
                    turns::measure(&rig, &turns::Load { count, concurrency, chunks, server }).await
                }
                What::Sockets { turns, sockets, apis, tokens, tokens_per_second, over } => {
                    let apis = apis.into();
                    let load = sockets::Load { turns, sockets, apis, tokens, tokens_per_second, over };
                    sockets::measure(&rig, &load).await
                }
                What::Submit { count, callers, keyed } => {
                    let load = submit::Load { count, callers: callers.into(), keyed };
                    submit::measure(&rig, &load).await
                }
                What::Ingest { paths } => ingest::measure(&rig, &paths).await,
            }
        }))
        .await;
    rig.clear();
    let Some(figures) = measured else { return Err(Failure::interrupted("nothing is left behind")) };
    figures?.show(context.common.json);
    Ok(Exit::Done)
}
