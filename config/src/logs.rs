//! Logs, as types.

use std::path::{Path, PathBuf};

use crate::application::App;
use crate::catalog::operations::log as keys;
use crate::loader::Loader;
use crate::parse::{self, Parsed};

/// The least level that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the names say it
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    /// The name, as filters of `tracing` have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Reads `LOG_LEVEL`. Python's names are known as well.
pub(crate) fn log_level(text: &str) -> Parsed<LogLevel> {
    match text.to_ascii_lowercase().as_str() {
        "trace" => Ok(LogLevel::Trace),
        "debug" => Ok(LogLevel::Debug),
        "info" => Ok(LogLevel::Info),
        "warn" | "warning" => Ok(LogLevel::Warn),
        "error" | "critical" | "fatal" => Ok(LogLevel::Error),
        _ => Err("is not a level".into()),
    }
}

/// Reads `LOG_FILTER`.
pub(crate) fn log_filter(text: &str) -> Parsed<Vec<(String, LogLevel)>> {
    parse::list(text)?.iter().map(|item| log_directive(item)).collect()
}

fn log_directive(item: &str) -> Parsed<(String, LogLevel)> {
    let (module, level) = item.split_once('=').ok_or("has an item without `=`")?;
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    if module.is_empty() || !module.chars().all(name) {
        return Err("names something that is not a module".into());
    }
    let level = log_level(level).map_err(|_| "has an item whose level is unknown")?;
    Ok((module.to_owned(), level))
}

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// An object a line, for machines.
    Json,
    /// For people.
    Pretty,
}

/// Reads `LOG_FORMAT`.
pub(crate) fn log_format(text: &str) -> Parsed<LogFormat> {
    match text.to_ascii_lowercase().as_str() {
        "json" => Ok(LogFormat::Json),
        "pretty" => Ok(LogFormat::Pretty),
        _ => Err("is not a format".into()),
    }
}

/// What `LOG_FILE` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LogFile {
    Off,
    Path(PathBuf),
}

/// Reads `LOG_FILE`.
pub(crate) fn log_file(text: &str) -> Parsed<LogFile> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(LogFile::Off);
    }
    let path = parse::path(text)?;
    if path.file_name().is_none() || text.ends_with('/') {
        Err("is not a file".into())
    } else {
        Ok(LogFile::Path(path))
    }
}

/// Logs.
#[derive(Clone, Debug)]
pub struct Log {
    /// The least level that is logged.
    pub level: LogLevel,
    /// Levels of single modules, on top of that.
    pub filter: Vec<(String, LogLevel)>,
    /// How lines look.
    pub format: LogFormat,
    /// The file that lines go to besides the standard output; errors also go to `error.log` beside it.
    pub file: Option<PathBuf>,
    /// How many daily files are kept.
    pub keep_days: u32,
}

impl Log {
    pub(crate) fn read(loader: &mut Loader, app: &App, data_dir: &Path) -> Self {
        let default_level = if app.debug { LogLevel::Debug } else { LogLevel::Info };
        let level = loader.get(&keys::LOG_LEVEL).unwrap_or(default_level);
        loader.show_derived(&keys::LOG_LEVEL, default_level.as_str());
        let filter = loader.get(&keys::LOG_FILTER);
        let (default_format, name) =
            if app.env.is_strict() { (LogFormat::Json, "json") } else { (LogFormat::Pretty, "pretty") };
        let format = loader.get(&keys::LOG_FORMAT).unwrap_or(default_format);
        loader.show_derived(&keys::LOG_FORMAT, name);
        let file = read_file(loader, data_dir);
        let keep_days = loader.get(&keys::LOG_KEEP_DAYS);
        Self { level, filter, format, file, keep_days }
    }
}

fn read_file(loader: &mut Loader, data_dir: &Path) -> Option<PathBuf> {
    let default = data_dir.join("logs").join("app.log");
    let chosen = loader.get(&keys::LOG_FILE);
    loader.show_derived(&keys::LOG_FILE, default.display().to_string());
    match chosen {
        None => Some(default),
        Some(LogFile::Path(path)) => Some(path),
        Some(LogFile::Off) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_names_in_two_languages() {
        for (text, level) in
            [("INFO", LogLevel::Info), ("WARNING", LogLevel::Warn), ("Critical", LogLevel::Error)]
        {
            assert_eq!(log_level(text), Ok(level), "{text}");
        }
        assert!(log_level("loud").is_err());
    }

    #[test]
    fn filters_name_modules() {
        let expected = vec![("chat_api::routes".into(), LogLevel::Debug), ("sqlx".into(), LogLevel::Info)];
        assert_eq!(log_filter("chat_api::routes=debug, sqlx=INFO"), Ok(expected));
        for bad in ["debug", "=debug", "sqlx=loud", "a b=info"] {
            assert!(log_filter(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_log_file_is_a_file() {
        assert_eq!(log_file("OFF"), Ok(LogFile::Off));
        assert_eq!(log_file("logs/app.log"), Ok(LogFile::Path("logs/app.log".into())));
        for bad in ["logs/", "/", ".."] {
            assert!(log_file(bad).is_err(), "{bad}");
        }
    }
}
