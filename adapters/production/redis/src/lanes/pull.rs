//! Waiting for the ids of one lane.

use super::{
    Shared,
    tap::{self, Taken, Tap},
};
use chat_core::{JobId, Lane};
use redis::RedisResult;
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

    /// Takes at most `max` ids. If there are none it waits for some, as long as nothing is known of a backlog, or says
    /// so at once. What was taken when nobody waits for it any more is put back.
    pub(super) async fn pull(&self, max: usize, waits: bool) -> Option<Vec<JobId>> {
        let (reply, taken) = oneshot::channel();
        let pull = Pull {
            shared: self.shared.clone(),
            lane: self.lane,
            tap: self.tap.clone(),
            stop: self.stop.clone(),
            max,
            waits,
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
    waits: bool,
}

impl Pull {
    async fn run(self, mut reply: oneshot::Sender<Option<Vec<JobId>>>) {
        let mut up = self.shared.link.watch();
        let mut tap = match self.tap.try_lock() {
            Ok(tap) => tap,
            Err(_) if self.waits => tokio::select! {
                tap = self.tap.lock() => tap,
                () = reply.closed() => return,
            },
            Err(_) => {
                // Whoever has it waits on the server: nothing is there.
                self.shared.board.empty(self.lane);
                reply.send(None).ok();
                return;
            }
        };
        while !self.stop.load(Ordering::Relaxed) && !reply.is_closed() {
            if !self.shared.link.is_up() {
                tokio::select! {
                    _ = up.wait_for(|up| *up) => {}
                    () = reply.closed() => return,
                }
            }
            match self.once(&mut **tap).await {
                Ok(Some(mut taken)) => {
                    if let Err(ids) = reply.send(Some(taken.ids)) {
                        taken.ids = ids.unwrap_or_default();
                        tap.put_back(taken).await;
                    }
                    return;
                }
                Ok(None) if self.may_wait() => {}
                Ok(None) => {
                    reply.send(None).ok();
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

    async fn once(&self, tap: &mut dyn Tap) -> RedisResult<Option<Taken>> {
        if let Some(taken) = tap.take(self.max).await? {
            return Ok(Some(taken));
        }
        self.shared.board.empty(self.lane);
        if self.may_wait() { tap.wait(self.max).await } else { Ok(None) }
    }

    fn may_wait(&self) -> bool {
        self.waits && self.shared.board.backlog(self.lane).is_none()
    }
}
