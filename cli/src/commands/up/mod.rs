//! `chat up`: everything in one process.

mod banner;
mod browser;

use super::serving::serve;
use crate::{
    failure::{Failure, Outcome},
    run::Context,
    server::{self, Crew, Reach},
};

/// Options of `chat up`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The port of the HTTP interface; 0 takes any free one [default: PORT, 8000]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Worker engines in this process
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// Open the interface's documentation in a browser; not with --json
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
    let preparing = server::prepare(&context.settings);
    context
        .interrupt
        .unless(preparing)
        .await
        .unwrap_or_else(|| Err(Failure::interrupted("nothing was begun")))?;
    let crew = Crew::Engines(args.workers.into());
    serve(context, Reach::Public, crew, move |context, server, ready| {
        banner::print(&context.settings, server, ready);
        if let Some(url) = server.url().filter(|_| args.open) {
            browser::open(&format!("{url}/docs"));
        }
    })
    .await
}
