//! `chat jobs`: what happens in the background.

mod change;
mod list;
mod show;
mod stats;

use crate::{
    args::Target,
    failure::{Failure, Outcome},
    link::Link,
    run::Context,
    server::Crew,
};
use chat_core::JobId;

/// Options of `chat jobs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List jobs, newest first
    List(list::Args),
    /// Show one job with its errors
    Show {
        /// Its id
        id: JobId,
    },
    /// Run jobs again that were given up or cancelled
    Retry {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<JobId>,
    },
    /// Stop jobs
    Cancel {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<JobId>,
    },
    /// Count what waits and runs, by lane
    Stats,
}

/// Does what was asked for. Without a server jobs are looked at and changed, not run.
pub async fn run(args: Args, context: Context) -> Outcome {
    let link = Link::open_existing(&context, &args.target, Crew::Nobody).await?;
    let json = context.common.json;
    let work = async {
        match args.action {
            Action::List(args) => list::run(&link.client, &args, json).await,
            Action::Show { id } => show::run(&link.client, &id.to_string(), json).await,
            Action::Retry { ids } => change::run(&link.client, change::Verb::Retry, &ids, json).await,
            Action::Cancel { ids } => change::run(&link.client, change::Verb::Cancel, &ids, json).await,
            Action::Stats => stats::run(&link.client, json).await,
        }
    };
    let done = context.interrupt.unless(work).await;
    link.close().await;
    done.unwrap_or_else(|| Err(Failure::interrupted("nothing more was done")))
}
