//! The command line.

use crate::commands::{
    api, ask, bench, config, ingest, jobs, keys, lanes, maintain, up, usage, worker, workers,
};
use chat_config::Secret;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Chat over your own documents, answered by background jobs.
#[derive(Debug, Parser)]
#[command(name = "chat", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What every command has.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  chat ask \"How do I descale the machine?\" docs/samples   answer from these documents
  chat ingest ~/notes --collection notes                  read a folder
  chat up                                                 serve the HTTP interface on port 8000

Settings come from the environment and `.env`; `chat config` shows them all.
Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.";

/// What every command has.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The folder for everything that is kept in files [default: `DATA_DIR`, else `./rag-chat-data`]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Print JSON instead of tables and text
    #[arg(long, global = true)]
    pub json: bool,
    /// Show the log on the standard error
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// Which server a command talks to.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// Talk to this server instead of the one that has the data folder, or of starting one inside this process
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// The API key to send [default: `CHAT_API_KEY`, which other users of this machine cannot see]
    #[arg(long, global = true, value_name = "KEY", value_parser = api_key)]
    pub api_key: Option<Secret>,
}

/// It becomes a header.
fn api_key(text: &str) -> Result<Secret, String> {
    let text = text.trim();
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err("a key has letters, digits and `_` only".to_owned());
    }
    Ok(Secret::new(text))
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve everything in one process: HTTP interface, workers, scheduler, metrics
    Up(up::Args),
    /// Serve the HTTP interface alone; workers are other processes
    Api(api::Args),
    /// Run jobs; other processes serve the interface
    Worker(worker::Args),
    /// Ask a question; documents named after it are read first
    Ask(ask::Args),
    /// Read documents: files, and folders with all that is in them
    Ingest(ingest::Args),
    /// Look at background jobs, retry or cancel them
    Jobs(jobs::Args),
    /// Look at lanes, pause and resume them
    Lanes(lanes::Args),
    /// Look at the workers that live
    Workers(workers::Args),
    /// Make, list and revoke the keys with which programs call
    Keys(keys::Args),
    /// Show tokens and their cost, by day, model or conversation
    Usage(usage::Args),
    /// Run clean-ups now: all of them, or one
    Maintain(maintain::Args),
    /// Bring the database's schema up to date
    Migrate,
    /// Make what is missing: data folder, database, vector index, file store; safe to repeat
    Init,
    /// Show the effective settings and where each comes from
    Config(config::Args),
    /// Measure this build on this machine
    Bench(bench::Args),
}
