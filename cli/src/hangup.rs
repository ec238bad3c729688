//! SIGHUP: log files are opened anew. Whoever rotates them from outside moves them away first.

use crate::telemetry::Reopening;

/// Listens as long as the process lives. Without it the signal would end a server.
pub fn listen(reopening: Reopening) {
    #[cfg(unix)]
    #[expect(clippy::disallowed_methods, reason = "lives as long as the process: no drain may wait for it")]
    tokio::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
        while hangups.recv().await.is_some() {
            reopening.ask();
            tracing::info!("the log files are opened anew");
        }
    });
    #[cfg(not(unix))]
    drop(reopening);
}
