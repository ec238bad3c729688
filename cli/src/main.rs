//! `chat`: the command line, and the all-in-one server.

mod args;
mod client;
mod commands;
mod failure;
mod hangup;
mod interrupt;
mod link;
mod output;
mod run;
mod server;
mod settings;
mod telemetry;
mod values;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    let exit = run::run(cli).unwrap_or_else(|failure| {
        output::failure(&failure);
        failure.exit()
    });
    ExitCode::from(exit as u8)
}
