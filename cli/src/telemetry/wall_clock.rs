//! The time of log lines. Logs begin before there are ports, so they cannot take the port's clock.

use chrono::{DateTime, Utc};

/// The time now.
#[expect(clippy::disallowed_methods, reason = "log lines are stamped with the real time, in tests too")]
pub(super) fn now() -> DateTime<Utc> {
    Utc::now()
}
