//! Ctrl-C and SIGTERM: the first asks the process to end, the second ends it.

use crate::failure::Exit;
use tokio_util::sync::CancellationToken;

/// Fires at the first Ctrl-C or SIGTERM.
#[derive(Debug, Clone)]
pub struct Interrupt(CancellationToken);

impl Interrupt {
    /// Listens from now on. The second signal ends the process at once.
    pub fn listen() -> Self {
        let token = CancellationToken::new();
        let fired = token.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "lives as long as the process: no drain may wait for it"
        )]
        tokio::spawn(async move {
            signal().await;
            fired.cancel();
            signal().await;
            std::process::exit(Exit::Interrupted as i32);
        });
        Self(token)
    }

    /// Waits for the first signal.
    pub async fn wait(&self) {
        self.0.cancelled().await;
    }

    /// Whether there was a signal.
    pub fn has_fired(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits for `work`, or answers `None` at the first signal.
    pub async fn unless<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.0.run_until_cancelled(work).await
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupt_key().await;
    };
    tokio::select! {
        () = interrupt_key() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    interrupt_key().await;
}

async fn interrupt_key() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can press it: wait for something else.
        std::future::pending::<()>().await;
    }
}
