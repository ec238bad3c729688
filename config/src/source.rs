//! Where values come from.

use std::collections::BTreeMap;
use std::fmt;

use crate::problem::Problem;

/// Where an effective value comes from. Ordered by precedence: a later one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum Origin {
    /// Nobody set it, or it was set to nothing.
    #[serde(rename = "default")]
    Default,
    /// The file `.env`.
    #[serde(rename = ".env")]
    EnvFile,
    /// The process environment.
    #[serde(rename = "env")]
    Environment,
    /// The command line.
    #[serde(rename = "command line")]
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Default => "default",
            Self::EnvFile => ".env",
            Self::Environment => "env",
            Self::CommandLine => "command line",
        })
    }
}

/// Values from one place, by setting name.
#[derive(Clone, Debug)]
pub struct Source {
    pub(crate) origin: Origin,
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<String>,
}

impl Source {
    /// Values by setting name. Names that are not settings are ignored, except on the command line.
    pub fn new<N: Into<String>, V: Into<String>>(
        origin: Origin,
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { origin, values, problems: Vec::new(), warnings: Vec::new() }
    }

    /// The values of the text of a `.env` file. Lines that cannot be read become problems of the load, so that they
    /// are reported together with all others.
    pub fn env_file(text: &str) -> Self {
        let file = crate::dotenv::read(text);
        let problems = file.errors.into_iter().map(|(line, what)| Problem::line(line, &what)).collect();
        Self { problems, warnings: file.warnings, ..Self::new(Origin::EnvFile, file.values) }
    }
}
