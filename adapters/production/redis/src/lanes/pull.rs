//! Waiting for the ids of one lane.

use super::Shared;
use crate::{link::is_away, names::URGENCIES, source::Conn};
use chat_core::{JobId, Lane};
use redis::RedisResult;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Mutex, oneshot};
use uuid::Uuid;

/// How long one command waits on the server.
const WAIT: Duration = Duration::from_secs(1);

/// Takes ids of one lane for this process, over a connection of its own: a command that waits would hold others up.
pub(super) struct Puller {
    shared: Arc<Shared>,
    lane: Lane,
    waiting: Arc<Mutex<Option<Conn>>>,
    /// Nobody takes any more.
    pub(super) stop: Arc<AtomicBool>,
}

impl Puller {
    pub(super) fn new(shared: Arc<Shared>, lane: Lane) -> Self {
        Self { shared, lane, waiting: Arc::default(), stop: Arc::default() }
    }

    /// Waits for at least one id. What was taken when nobody waits for it any more is put back.
    pub(super) async fn pull(&self, max: usize) -> Vec<JobId> {
        let (reply, taken) = oneshot::channel();
        let pull = Pull {
            shared: self.shared.clone(),
            lane: self.lane,
            waiting: self.waiting.clone(),
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
    waiting: Arc<Mutex<Option<Conn>>>,
    stop: Arc<AtomicBool>,
    max: usize,
}

impl Pull {
    async fn run(self, mut reply: oneshot::Sender<Vec<JobId>>) {
        let mut up = self.shared.link.watch();
        let mut connection = tokio::select! {
            connection = self.waiting.lock() => connection,
            () = reply.closed() => return,
        };
        while !self.stop.load(Ordering::Relaxed) && !reply.is_closed() {
            if !self.shared.link.is_up() {
                tokio::select! {
                    _ = up.wait_for(|up| *up) => {}
                    () = reply.closed() => return,
                }
            }
            match self.take(&mut connection).await {
                Ok(None) => {}
                Ok(Some((list, ids))) => {
                    if let Err(ids) = reply.send(ids) {
                        self.put_back(&list, &ids).await;
                    }
                    return;
                }
                Err(error) => {
                    tracing::debug!(%error, lane = self.lane.as_str(), "a lane could not be waited for");
                    *connection = None;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// What is there at once; otherwise what comes within the wait.
    async fn take(&self, connection: &mut Option<Conn>) -> RedisResult<Option<Taken>> {
        let mut now = redis::cmd("LMPOP");
        self.lists(&mut now).arg("LEFT").arg("COUNT").arg(self.share());
        if let Some(taken) = taken(self.shared.link.ask(&now).await?) {
            return Ok(Some(taken));
        }
        self.shared.board.empty(self.lane);
        if connection.is_none() {
            *connection = Some(self.shared.link.source().connect_blocking(WAIT).await?);
        }
        let Some(connection) = connection else {
            return Err(io::Error::from(io::ErrorKind::NotConnected).into());
        };
        let mut wait = redis::cmd("BLMPOP");
        wait.arg(WAIT.as_secs_f64());
        self.lists(&mut wait).arg("LEFT").arg("COUNT").arg(self.share());
        wait.query_async(connection).await.map(taken)
    }

    fn share(&self) -> usize {
        self.shared.board.share(self.lane, self.max)
    }

    fn lists<'a>(&self, command: &'a mut redis::Cmd) -> &'a mut redis::Cmd {
        command.arg(URGENCIES);
        for urgency in 0..URGENCIES {
            command.arg(self.shared.names.waiting(self.lane, urgency));
        }
        command
    }

    /// To the head of the list, where they came from; if that fails they are offered again after a while.
    async fn put_back(&self, list: &str, ids: &[JobId]) {
        let bytes: Vec<&[u8]> = ids.iter().rev().map(|id| &id.0.as_bytes()[..]).collect();
        let mut push = redis::cmd("LPUSH");
        push.arg(list).arg(bytes);
        if let Err(error) = self.shared.link.ask::<()>(&push).await {
            tracing::debug!(%error, away = is_away(&error), "ids could not be put back");
        }
    }
}

/// What a command took: the name of a list, and ids of it.
type Popped = Option<(String, Vec<Vec<u8>>)>;
/// The same, read.
type Taken = (String, Vec<JobId>);

fn taken(popped: Popped) -> Option<Taken> {
    let (list, bytes) = popped?;
    let ids = bytes.iter().filter_map(|id| Uuid::from_slice(id).ok()).map(JobId).collect();
    Some((list, ids))
}
