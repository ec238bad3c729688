//! Where log lines go: the console, `app.log`, and errors to `error.log` beside it. Threads of their own write, so that
//! a slow disk or a stopped pipe never holds up the work; what does not fit their bounded queues is dropped.

use super::{
    daily_file::{DailyFile, Reopening},
    filter,
    json::JsonLines,
    pretty::TimeOfDay,
};
use crate::{
    failure::{Failure, Outcome},
    settings::is_chosen,
};
use chat_config::{LogFormat, Settings};
use console::{colors_enabled_stderr, user_attended_stderr};
use std::{io, path::Path};
use tracing::{Level, Subscriber};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    Layer,
    filter::filter_fn,
    fmt::{self, format::JsonFields},
    layer::SubscriberExt,
    registry::LookupSpan,
};

/// Lines that wait for a slow disk before further ones are dropped.
const BUFFERED_LINES: usize = 8_192;

/// The target of lines that a person on the console is told in other words.
pub const TOLD: &str = "chat::told";

/// What the console shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// A server: objects on the standard output, or text for people on the standard error.
    Server,
    /// A server whose standard output is for what a program waits for: everything on the standard error.
    Aside,
    /// A command that was asked to show its log: on the standard error.
    Verbose,
    /// A command: nothing, the log goes to its files.
    Quiet,
}

/// Keeps the writing threads alive; when dropped they write what they have.
pub(super) struct Logs {
    guards: Vec<WorkerGuard>,
    /// Asks the files to be opened anew.
    pub(super) reopening: Reopening,
}

/// Starts logging, once in a process.
pub(super) fn install(settings: &Settings, console: Console) -> Outcome<Logs> {
    let log = &settings.log;
    let mut logs = Logs { guards: Vec::new(), reopening: Reopening::default() };
    let mut layers: Vec<Box<dyn Layer<_> + Send + Sync>> = Vec::new();
    match (console, log.format) {
        (Console::Quiet, _) => {}
        (Console::Server, LogFormat::Json) => {
            layers.push(lines(log.format, logs.writer(io::stdout()), false));
        }
        (Console::Aside, format) => layers.push(lines(format, logs.writer(io::stderr()), colors())),
        (_, format) => {
            let console = lines(format, logs.writer(io::stderr()), colors());
            layers.push(console.with_filter(filter_fn(|line| line.target() != TOLD)).boxed());
        }
    }
    if let Some(path) = &log.file {
        let app = logs.daily(path, settings, console)?;
        let errors = logs.daily(&path.with_file_name("error.log"), settings, console)?;
        layers.push(lines(log.format, logs.writer(app), false));
        // Spans of every level: an error line names the request or the job that it belongs to.
        let errors = lines(log.format, logs.writer(errors), false);
        layers.push(errors.with_filter(filter_fn(|it| it.is_span() || *it.level() == Level::ERROR)).boxed());
    }
    let subscriber = tracing_subscriber::registry().with(layers.with_filter(filter::targets(log)));
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|error| Failure::new(format!("logging cannot be started: {error}")))?;
    Ok(logs)
}

impl Logs {
    fn writer(&mut self, to: impl io::Write + Send + 'static) -> NonBlocking {
        let builder = NonBlockingBuilder::default().buffered_lines_limit(BUFFERED_LINES).lossy(true);
        let (writer, guard) = builder.thread_name("chat-log").finish(to);
        self.guards.push(guard);
        writer
    }

    /// A server finds out at its start that it cannot write its log; other commands make no file before the first line.
    fn daily(&self, path: &Path, settings: &Settings, console: Console) -> Outcome<DailyFile> {
        let mut file = DailyFile::new(path, settings.log.keep_days as usize, self.reopening.clone());
        if matches!(console, Console::Server | Console::Aside) {
            file.open().map_err(|error| unwritable(path, settings, &error))?;
        }
        Ok(file)
    }
}

/// Nobody who chose no log file can do anything about its name: it is the data folder that is at fault.
fn unwritable(path: &Path, settings: &Settings, error: &io::Error) -> Failure {
    if is_chosen(settings, "LOG_FILE") {
        return Failure::new(format!("the log file {} cannot be written: {error}", path.display()))
            .hint("name another file with LOG_FILE, or LOG_FILE=off for none");
    }
    let folder = settings.data_dir.display();
    Failure::new(format!("the data folder {folder} cannot be made or written: {error}"))
        .hint("choose another folder with --data DIR")
}

fn colors() -> bool {
    user_attended_stderr() && colors_enabled_stderr()
}

fn lines<S>(format: LogFormat, writer: NonBlocking, colors: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    match format {
        LogFormat::Json => {
            fmt::layer().fmt_fields(JsonFields::new()).event_format(JsonLines).with_writer(writer).boxed()
        }
        LogFormat::Pretty => {
            fmt::layer().with_ansi(colors).with_timer(TimeOfDay).compact().with_writer(writer).boxed()
        }
    }
}
