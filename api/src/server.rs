//! Listening, and stopping without breaking what is under way.

use crate::{connections::Limited, router::router, state::AppState};
use axum::{Router, serve::ListenerExt};
use futures::{FutureExt, future::BoxFuture};
use std::io;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;

/// Serves until the stop. Then no connection is accepted any more, event streams end (their clients resume elsewhere),
/// and open requests get the grace period.
pub fn serve(
    listener: TcpListener,
    state: AppState,
    stop: CancellationToken,
) -> BoxFuture<'static, io::Result<()>> {
    Box::pin(async move {
        let mut server =
            serve_router(listener, router(state.clone()), state.options.max_connections, stop.clone());
        tokio::select! {
            result = &mut server => return result,
            () = stop.cancelled() => state.draining.cancel(),
        }
        if timeout(state.options.grace, server).await.is_err() {
            tracing::warn!("requests were still open at the end of the grace period");
        }
        finish_tasks(&state).await;
        Ok(())
    })
}

/// Serves these routes, over so many connections at a time, until the stop and until the requests that are open then
/// have ended. The one place where a server of HTTP is compiled.
pub fn serve_router(
    listener: TcpListener,
    router: Router,
    most: usize,
    stop: CancellationToken,
) -> BoxFuture<'static, io::Result<()>> {
    // A frame of a stream is small and complete: waiting to send more at once only makes it late.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection cannot be told to send at once");
        }
    });
    let listener = Limited::new(listener, most);
    // A bare router would be built anew for every connection: 70 KiB each.
    let service = router.into_make_service();
    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).into_future().boxed()
}

/// Commits and clean-ups of requests that have gone.
async fn finish_tasks(state: &AppState) {
    state.tasks.close();
    if timeout(state.options.grace, state.tasks.wait()).await.is_err() {
        tracing::warn!(left = state.tasks.len(), "work was still under way at the end of the grace period");
    }
}
