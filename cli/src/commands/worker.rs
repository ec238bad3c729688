//! `chat worker`: runs jobs. As many as wanted, on as many machines: they need no word of each other.

use super::{serving::serve, shared};
use crate::{
    failure::Outcome,
    output,
    run::Context,
    server::{Crew, Reach},
};
use chat_core::Lane;

/// Options of `chat worker`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lanes that it takes jobs from [default: all]
    #[arg(long, value_name = "LANE", value_delimiter = ',', value_parser = lane)]
    lanes: Vec<Lane>,
    /// Jobs at a time: a number for every lane, or `chat=64,ingest=2` [default: `WORKER_CONCURRENCY`]
    #[arg(long, value_name = "N")]
    concurrency: Option<String>,
    /// The port of metrics and health; 0 takes any free one [default: `PROMETHEUS_PORT`, 8001]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

impl Args {
    /// The options that are settings.
    pub fn overrides(&self) -> Vec<(String, String)> {
        let port = self.port.map(|port| ("PROMETHEUS_PORT".to_owned(), port.to_string()));
        let concurrency = self.concurrency.clone().map(|jobs| ("WORKER_CONCURRENCY".to_owned(), jobs));
        port.into_iter().chain(concurrency).collect()
    }
}

fn lane(name: &str) -> Result<Lane, String> {
    let known = || Lane::ALL.map(Lane::as_str).join(", ");
    Lane::parse(name).ok_or_else(|| format!("no such lane; there are {}", known()))
}

/// Works until Ctrl-C or SIGTERM: then it takes no more jobs, lets what runs end, and hands the rest back.
pub async fn run(args: Args, context: Context) -> Outcome {
    shared::check(&context.settings, "chat worker")?;
    let lanes = if args.lanes.is_empty() { Lane::ALL.to_vec() } else { args.lanes };
    let names = lanes.iter().map(|lane| lane.as_str()).collect::<Vec<_>>().join(", ");
    serve(context, Reach::Nobody, Crew::Lanes(lanes), move |_, server, ready| {
        output::line(format!(
            "rag-chat {} · worker of {names} · metrics {} · ready in {} ms",
            env!("CARGO_PKG_VERSION"),
            server.metrics_url().unwrap_or_else(|| "off".into()),
            ready.as_millis()
        ));
    })
    .await
}
