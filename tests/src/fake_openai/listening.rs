//! The socket: it can be closed and opened again without losing the server.

use super::{Inner, router};
use axum::serve::ListenerExt;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
};
use tokio::{net::TcpListener, task::JoinHandle};

pub(super) struct Listening {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listening {
    pub(super) async fn start(port: u16, inner: &Arc<Inner>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let counter = inner.clone();
        let listener = listener.tap_io(move |socket| {
            counter.connections.fetch_add(1, Ordering::Relaxed);
            // Tokens are small: they must not wait for each other.
            socket.set_nodelay(true).unwrap();
        });
        let serving = axum::serve(listener, router(inner));
        #[expect(clippy::disallowed_methods, reason = "the fake's own server, stopped when it is dropped")]
        let task = tokio::spawn(async move {
            let _ = serving.await;
        });
        Self { address, task }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The socket is closed when this returns.
    pub(super) async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}
