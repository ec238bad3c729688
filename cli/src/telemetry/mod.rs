//! What is seen from outside: logs and metrics.

mod daily_file;
mod depth;
mod engines;
mod fields;
mod filter;
mod json;
mod logs;
mod memory;
mod metrics;
mod names;
mod pretty;
mod wall_clock;

pub use daily_file::Reopening;
pub use engines::watch;
pub use logs::{Console, TOLD};
pub use metrics::Metrics;
pub use wall_clock::now;

use crate::failure::Outcome;
use chat_config::Settings;

/// Logs and metrics of this process. Dropping it writes what is still in the buffers.
pub struct Telemetry {
    /// The metrics.
    pub metrics: Metrics,
    logs: logs::Logs,
}

impl Telemetry {
    /// Starts both, once in a process.
    pub fn install(settings: &Settings, console: Console) -> Outcome<Self> {
        let logs = logs::install(settings, console)?;
        Ok(Self { metrics: Metrics::install()?, logs })
    }

    /// Asks log files to be opened anew.
    pub fn reopening(&self) -> Reopening {
        self.logs.reopening.clone()
    }
}
