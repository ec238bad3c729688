//! How far an ingestion is: a bar on a terminal, now and then a line elsewhere.

use super::{count, note, size};
use console::user_attended_stderr;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Between two lines where there is no terminal.
const EVERY: Duration = Duration::from_secs(2);
const BAR: &str = "{spinner:.cyan} {bar:24.cyan/dim} {percent:>3}%  {prefix}  {wide_msg}";

/// Progress in files and bytes.
pub struct Progress {
    bar: Option<ProgressBar>,
    files: u64,
    bytes: u64,
    steps: AtomicU64,
    state: Mutex<State>,
}

struct State {
    uploaded: u64,
    files: u64,
    bytes: u64,
    last_line: Instant,
}

impl Progress {
    /// Progress over so many files with so many bytes. `quiet`: show nothing.
    pub fn new(files: u64, bytes: u64, quiet: bool) -> Self {
        let bar = (user_attended_stderr() && !quiet).then(|| bar(bytes));
        let begun = State { uploaded: 0, files: 0, bytes: 0, last_line: Instant::now() };
        let progress = Self { bar, files, bytes, steps: AtomicU64::new(0), state: Mutex::new(begun) };
        progress.show(&progress.state());
        progress
    }

    /// What a file is doing now.
    pub fn stage(&self, file: &str, stage: &str) {
        self.steps.fetch_add(1, Relaxed);
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{stage}: {file}"));
        }
    }

    /// A file has arrived: what is left to do needs nobody here.
    pub fn uploaded(&self) {
        self.state().uploaded += 1;
    }

    /// A file was cut into passages: about half of its work is done.
    pub fn halfway(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes / 2);
        }
    }

    /// A file has ended, well or badly. `halfway`: that was said of it.
    pub fn finished(&self, bytes: u64, halfway: bool) {
        self.steps.fetch_add(1, Relaxed);
        let mut state = self.state();
        state.files += 1;
        state.bytes += bytes;
        self.show(&state);
        if let Some(bar) = &self.bar {
            bar.inc(if halfway { bytes - bytes / 2 } else { bytes });
        }
        if self.bar.is_none() && (state.last_line.elapsed() >= EVERY) && state.files < self.files {
            state.last_line = Instant::now();
            note(&self.done(state.files, state.bytes));
        }
    }

    /// A number that grows whenever something happens.
    pub fn steps(&self) -> u64 {
        self.steps.load(Relaxed)
    }

    /// Something worth knowing, above the bar.
    pub fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| note(text)),
            None => note(text),
        }
    }

    /// How many files have ended.
    pub fn files_done(&self) -> u64 {
        self.state().files
    }

    /// How many files have arrived.
    pub fn files_uploaded(&self) -> u64 {
        self.state().uploaded
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, state: &State) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(self.done(state.files, state.bytes));
        }
    }

    fn done(&self, files: u64, bytes: u64) -> String {
        format!("{}/{} files, {} of {}", count(files), count(self.files), size(bytes), size(self.bytes))
    }
}

fn bar(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(bytes.max(1)), ProgressDrawTarget::stderr_with_hz(12));
    if let Ok(style) = ProgressStyle::with_template(BAR) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
