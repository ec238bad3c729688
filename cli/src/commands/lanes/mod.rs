//! `chat lanes`: where jobs wait.

mod change;
mod list;

use crate::{
    args::Target,
    failure::{Failure, Outcome},
    link::Link,
    run::Context,
    server::Crew,
};
use chat_core::Lane;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Options of `chat lanes`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List lanes: what waits, what runs, and which are paused
    List,
    /// Hand out nothing more of these lanes; what runs goes on, and jobs are accepted
    Pause(Lanes),
    /// Hand out the jobs of these lanes again
    Resume(Lanes),
}

#[derive(Debug, clap::Args)]
struct Lanes {
    /// Their names
    #[arg(required = true, value_name = "LANE", value_parser = lane())]
    lanes: Vec<Lane>,
}

fn lane() -> impl TypedValueParser<Value = Lane> {
    let names = PossibleValuesParser::new(Lane::ALL.map(Lane::as_str));
    names.map(|name| Lane::parse(&name).unwrap_or(Lane::Default))
}

/// Does what was asked for.
pub async fn run(args: Args, context: Context) -> Outcome {
    let link = Link::open_existing(&context, &args.target, Crew::Nobody).await?;
    let json = context.common.json;
    let work = async {
        match args.action {
            Action::List => list::run(&link.client, json).await,
            Action::Pause(Lanes { lanes }) => change::run(&link.client, &lanes, true, json).await,
            Action::Resume(Lanes { lanes }) => change::run(&link.client, &lanes, false, json).await,
        }
    };
    let done = context.interrupt.unless(work).await;
    link.close().await;
    done.unwrap_or_else(|| Err(Failure::interrupted("nothing more was done")))
}
