//! `chat api`: the HTTP interface alone. Other processes do the work.

use super::{serving::serve, shared};
use crate::{
    failure::Outcome,
    output,
    run::Context,
    server::{Crew, Reach},
};

/// Options of `chat api`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The port of the HTTP interface; 0 takes any free one [default: PORT, 8000]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

impl Args {
    /// The options that are settings.
    pub fn overrides(&self) -> Vec<(String, String)> {
        self.port.map(|port| ("PORT".to_owned(), port.to_string())).into_iter().collect()
    }
}

/// Serves until Ctrl-C or SIGTERM: then streams get the grace period, and what is left is told to go on elsewhere.
pub async fn run(context: Context) -> Outcome {
    shared::check(&context.settings, "chat api")?;
    serve(context, Reach::Public, Crew::Nobody, |_, server, ready| {
        output::line(format!(
            "rag-chat {} · interface {} · metrics {} · ready in {} ms",
            env!("CARGO_PKG_VERSION"),
            server.url().unwrap_or_default(),
            server.metrics_url().unwrap_or_else(|| "off".into()),
            ready.as_millis()
        ));
    })
    .await
}
