//! Group commit: the first request goes at once; what arrives while its statement is on the way is the next group.
//! Idle costs no wait, load makes groups.

use crate::error::same;
use chat_core::{PortError, PortResult};
use futures::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, oneshot};

/// The most requests of one group.
const GROUP: usize = 256;
/// How many groups of one sort are under way at a time.
const ABREAST: usize = 2;
/// How many requests may wait; beyond it callers wait for a place.
const QUEUE: usize = 16_384;

/// Does a whole group; an answer for each request, in order, or one error for all.
pub(crate) type Work<T, R> =
    Arc<dyn Fn(Vec<T>) -> BoxFuture<'static, PortResult<Vec<PortResult<R>>>> + Send + Sync>;

struct Request<T, R> {
    what: T,
    reply: oneshot::Sender<PortResult<R>>,
}

/// Collects requests of one sort.
pub(crate) struct Batcher<T, R> {
    requests: mpsc::Sender<Request<T, R>>,
}

impl<T: Send + 'static, R: Send + 'static> Batcher<T, R> {
    pub(crate) fn start(work: &Work<T, R>) -> Self {
        let (requests, queue) = mpsc::channel(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..ABREAST {
            let (queue, work) = (queue.clone(), work.clone());
            #[allow(clippy::disallowed_methods)] // ends by itself with the store that holds the sender
            tokio::spawn(run(queue, work));
        }
        Self { requests }
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(&self, what: T) -> PortResult<R> {
        let gone = || PortError::unavailable("the database is closed");
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request { what, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

async fn run<T, R>(queue: Arc<Mutex<mpsc::Receiver<Request<T, R>>>>, work: Work<T, R>) {
    let mut group = Vec::with_capacity(GROUP);
    loop {
        if queue.lock().await.recv_many(&mut group, GROUP).await == 0 {
            return;
        }
        let (what, replies): (Vec<T>, Vec<_>) =
            group.drain(..).map(|request| (request.what, request.reply)).unzip();
        match work(what).await {
            Ok(answers) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    reply.send(answer).ok();
                }
            }
            Err(error) => {
                tracing::warn!(%error, source = error.cause(), requests = replies.len(), "a group of requests failed");
                for reply in replies {
                    reply.send(Err(same(&error))).ok();
                }
            }
        }
    }
}
