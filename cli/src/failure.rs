//! Why a command did not do what it was asked, and what to do about it.

use std::{fmt, io};

/// How a process ends; scripts rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Something failed.
    Failed = 1,
    /// The command line or the settings make no sense.
    WrongUse = 2,
    /// Stopped by the user, with 128 + SIGINT as shells have it.
    Interrupted = 130,
}

/// What a command returns.
pub type Outcome<T = Exit> = Result<T, Failure>;

/// What is wrong, and what can be done about it.
#[derive(Debug)]
pub struct Failure {
    what: String,
    hints: Vec<String>,
    exit: Exit,
}

impl Failure {
    /// Something failed.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hints: Vec::new(), exit: Exit::Failed }
    }

    /// What was asked for makes no sense.
    pub fn wrong_use(what: impl Into<String>) -> Self {
        Self { exit: Exit::WrongUse, ..Self::new(what) }
    }

    /// The user stopped it; `what` says what is left behind.
    pub fn interrupted(what: impl Into<String>) -> Self {
        Self { exit: Exit::Interrupted, ..Self::new(what) }
    }

    /// Adds something to do about it, as a sentence.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// How the process ends because of it.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What can be done about it, best first.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

/// Why a file or folder cannot be read, for people.
pub fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        _ => error.to_string(),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}
