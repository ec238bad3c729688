//! `chat config`: the effective settings.

use crate::{
    args::Common,
    failure::Exit,
    output::{self, Align, Table},
};
use chat_config::{Origin, Settings};

/// Options of `chat config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only what somebody set
    #[arg(long)]
    changed: bool,
}

/// Shows every setting: secrets are masked.
pub fn run(args: &Args, common: &Common, settings: &Settings) -> Exit {
    for warning in settings.warnings() {
        output::warning(warning);
    }
    let mut rows = settings.table();
    rows.retain(|row| !args.changed || row.origin != Origin::Default);
    if common.json {
        output::json(&rows);
        return Exit::Done;
    }
    let mut table = Table::new([("Setting", Align::Left), ("Value", Align::Left), ("From", Align::Left)]);
    for row in rows {
        table.row([row.name.to_owned(), row.value, row.origin.to_string()]);
    }
    table.print();
    Exit::Done
}
