//! The clock of log lines for people.

use super::wall_clock;
use std::fmt;
use tracing_subscriber::fmt::{format::Writer, time::FormatTime};

/// Hours to milliseconds, UTC: a day's file has its date in its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeOfDay;

impl FormatTime for TimeOfDay {
    fn format_time(&self, out: &mut Writer<'_>) -> fmt::Result {
        write!(out, "{}", wall_clock::now().format("%H:%M:%S%.3fZ"))
    }
}
