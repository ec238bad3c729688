//! The time of log lines and of tokens: where there are no ports, and so no clock of theirs.

use chrono::{DateTime, Utc};

/// The time now.
#[expect(
    clippy::disallowed_methods,
    reason = "log lines and tokens are stamped with the real time, in tests too"
)]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
