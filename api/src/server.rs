//! Listening, and stopping without breaking what is under way.

use crate::{router::router, state::AppState};
use axum::serve::ListenerExt;
use std::io;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;

/// Serves until the stop. Then no connection is accepted any more, event streams end (their clients resume elsewhere),
/// and open requests get the grace period.
pub async fn serve(listener: TcpListener, state: AppState, stop: CancellationToken) -> io::Result<()> {
    // A frame of a stream is small and complete: waiting to send more at once only makes it late.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection cannot be told to send at once");
        }
    });
    let draining = state.draining.clone();
    let stopped = stop.clone();
    let signal = async move {
        stopped.cancelled().await;
        draining.cancel();
    };
    // A bare router would be built anew for every connection: 70 KiB each.
    let service = router(state.clone()).into_make_service();
    let server = axum::serve(listener, service).with_graceful_shutdown(signal);
    let server = server.into_future();
    tokio::pin!(server);
    tokio::select! {
        result = &mut server => return result,
        () = stop.cancelled() => {}
    }
    if timeout(state.options.grace, &mut server).await.is_err() {
        tracing::warn!("requests were still open at the end of the grace period");
    }
    finish_tasks(&state).await;
    Ok(())
}

/// Commits and clean-ups of requests that have gone.
async fn finish_tasks(state: &AppState) {
    state.tasks.close();
    if timeout(state.options.grace, state.tasks.wait()).await.is_err() {
        tracing::warn!(left = state.tasks.len(), "work was still under way at the end of the grace period");
    }
}
