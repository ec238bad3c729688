//! Opens a page in the user's browser.

use crate::output;
use std::process::{Command, Stdio};

/// Opens an address; without a browser it says so.
pub fn open(url: &str) {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/c", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let quiet = Stdio::null;
    let started =
        Command::new(program).args(arguments).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    if started.is_err() {
        output::warning(&format!("no browser could be opened; the page is {url}"));
    }
}
