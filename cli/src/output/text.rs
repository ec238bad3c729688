//! Lines on the standard output, notes and errors on the standard error.

use crate::failure::{Exit, Failure};
use console::style;
use serde::Serialize;
use std::io::{ErrorKind, Write};

/// A line on the standard output.
pub fn line(text: impl AsRef<str>) {
    write(&[text.as_ref(), "\n"]);
}

/// A piece of text on the standard output, shown at once.
pub fn piece(text: &str) {
    write(&[text]);
}

/// A value as JSON, for programs.
pub fn json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(text),
        Err(error) => warning(&format!("the result could not be written as JSON: {error}")),
    }
}

/// A value as JSON on one line, for programs that read while this one goes on.
pub fn json_line(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => line(text),
        Err(error) => warning(&format!("the result could not be written as JSON: {error}")),
    }
}

/// Whoever read the output may have seen enough (`| head`): that is no error.
fn write(texts: &[&str]) {
    let mut out = std::io::stdout().lock();
    let written = texts.iter().try_for_each(|text| out.write_all(text.as_bytes())).and_then(|()| out.flush());
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(Exit::Done as i32),
        Err(error) => {
            warning(&format!("the output could not be written: {error}"));
            std::process::exit(Exit::Failed as i32);
        }
    }
}

/// Something worth knowing, on the standard error.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Something that is probably not meant, on the standard error.
pub fn warning(text: &str) {
    let _ = writeln!(std::io::stderr(), "{} {text}", style("warning:").yellow().bold().for_stderr());
}

/// Why a command failed, and what to do about it.
pub fn failure(failure: &Failure) {
    let head = match failure.exit() {
        Exit::Interrupted => style("interrupted:").yellow(),
        _ => style("error:").red(),
    };
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "{} {failure}", head.bold().for_stderr());
    for hint in failure.hints() {
        let _ = writeln!(out, "  {} {hint}", style("try:").cyan().for_stderr());
    }
}
