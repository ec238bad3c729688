//! What is wrong with the settings, all of it at once.

use std::fmt;

use crate::secret::MASK;
use crate::setting::{Sensitivity, Spec};
use crate::source::Origin;
use crate::url::mask_url;

/// The longest piece of a wrong value that is repeated in a message, in characters.
const SHOWN: usize = 80;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting (`LLM_TEMPERATURE`) or place (`.env line 3`).
    pub name: String,
    /// The refused value, masked, and where it comes from.
    pub value: Option<String>,
    /// What is wrong.
    pub what: String,
    /// What is accepted instead.
    pub accepted: Option<String>,
}

impl Problem {
    /// The value of a setting is wrong.
    pub(crate) fn value(spec: &Spec, text: &str, origin: Origin, what: String) -> Self {
        Self {
            name: spec.name.to_owned(),
            value: Some(format!("{} ({origin})", quote(&shown(spec, text)))),
            what,
            accepted: Some(spec.accepted.to_owned()),
        }
    }

    /// A setting is wrong together with others.
    pub(crate) fn of(name: &str, what: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: None, what: what.into(), accepted: None }
    }

    /// A line of `.env` cannot be read.
    pub(crate) fn line(line: usize, what: &str) -> Self {
        Self::of(&format!(".env line {line}"), what)
    }
}

/// A value as it may be shown.
pub(crate) fn shown(spec: &Spec, text: &str) -> String {
    match spec.sensitivity {
        Sensitivity::Secret if !text.is_empty() => MASK.to_owned(),
        Sensitivity::Url => mask_url(text),
        Sensitivity::Plain | Sensitivity::Secret => text.to_owned(),
    }
}

/// In quotes, on one line, not too long.
fn quote(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        // A value "is out of range"; a finding about several settings, or a line, reads better after a colon.
        let separator = if self.value.is_some() { " " } else { ": " };
        write!(f, "{separator}{}", self.what)?;
        match &self.accepted {
            Some(accepted) => write!(f, "; accepted: {accepted}"),
            None => Ok(()),
        }
    }
}

/// The settings cannot be used: every reason, one a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Every reason, in the order of the settings.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn message(&self) -> String {
        let count = self.problems.len();
        let (noun, verb) = if count == 1 { ("problem", "stops") } else { ("problems", "stop") };
        let mut message = format!("{count} {noun} in the settings {verb} the start:");
        for problem in &self.problems {
            message.push_str("\n  - ");
            message.push_str(&problem.to_string());
        }
        message.push_str("\n`.env.example` describes every setting; `chat config` shows the effective ones.");
        message
    }
}
