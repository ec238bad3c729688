//! Waiting for the ids of one lane.

use super::{
    Shared,
    tap::{self, Tap},
};
use chat_core::{JobId, Lane};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Mutex, oneshot};

/// The pause after something failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes ids of one lane for this process, for one caller at a time.
pub(super) struct Puller {
    shared: Arc<Shared>,
    lane: Lane,
    tap: Arc<Mutex<Box<dyn Tap>>>,
    /// Nobody takes any more.
    pub(super) stop: Arc<AtomicBool>,
}

impl Puller {
    pub(super) fn new(shared: Arc<Shared>, lane: Lane) -> Self {
        let tap = Arc::new(Mutex::new(tap::open(shared.clone(), lane)));
        Self { shared, lane, tap, stop: Arc::default() }
    }

    /// Waits for at least one id. What was taken when nobody waits for it any more is put back.
    pub(super) async fn pull(&self, max: usize) -> Vec<JobId> {
        let (reply, taken) = oneshot::channel();
        let pull = Pull {
            shared: self.shared.clone(),
            lane: self.lane,
            tap: self.tap.clone(),
            stop: self.stop.clone(),
            max,
        };
        #[allow(clippy::disallowed_methods)] // it ends by itself when its caller is gone
        tokio::spawn(pull.run(reply));
        match taken.await {
            Ok(ids) => ids,
            Err(_) => std::future::pending().await, // the lanes are closed
        }
    }
}

struct Pull {
    shared: Arc<Shared>,
    lane: Lane,
    tap: Arc<Mutex<Box<dyn Tap>>>,
    stop: Arc<AtomicBool>,
    max: usize,
}

impl Pull {
    async fn run(self, mut reply: oneshot::Sender<Vec<JobId>>) {
        let mut up = self.shared.link.watch();
        let mut tap = tokio::select! {
            tap = self.tap.lock() => tap,
            () = reply.closed() => return,
        };
        while !self.stop.load(Ordering::Relaxed) && !reply.is_closed() {
            if !self.shared.link.is_up() {
                tokio::select! {
                    _ = up.wait_for(|up| *up) => {}
                    () = reply.closed() => return,
                }
            }
            match tap.take(self.max).await {
                Ok(None) => {}
                Ok(Some(mut taken)) => {
                    if let Err(ids) = reply.send(taken.ids) {
                        taken.ids = ids;
                        tap.put_back(taken).await;
                    }
                    return;
                }
                Err(error) => {
                    tracing::debug!(%error, lane = self.lane.as_str(), "a lane could not be waited for");
                    tap.reset();
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
