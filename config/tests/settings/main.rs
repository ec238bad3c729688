//! Settings as a process sees them: sources in, typed values, one message or a table out.
#![allow(clippy::unwrap_used)]

mod errors;
mod example;
mod precedence;
mod production;
mod table;
mod values;

use chat_config::{ConfigError, Origin, Settings, Source};

/// The settings of a process with this environment and nothing else.
fn load(environment: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    Settings::load(&[Source::new(Origin::Environment, environment.iter().copied())])
}

/// The same, where it must work.
fn loaded(environment: &[(&str, &str)]) -> Settings {
    load(environment).unwrap_or_else(|error| panic!("{error}"))
}

/// The names of the settings that are refused.
fn refused(environment: &[(&str, &str)]) -> Vec<String> {
    match load(environment) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(|problem| problem.name.clone()).collect(),
    }
}

/// The whole message of a refusal.
fn message(environment: &[(&str, &str)]) -> String {
    load(environment).unwrap_err().to_string()
}
