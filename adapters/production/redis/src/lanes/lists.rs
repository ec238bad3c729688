//! A list per lane and urgency: `RPUSH`, `LMPOP`, and `BLMPOP ... COUNT` to wait.

use super::{
    Shared,
    push::ByList,
    tap::{Taken, Tap},
};
use crate::{conn::Conn, link::is_away, names::URGENCIES};
use async_trait::async_trait;
use chat_core::{JobId, Lane};
use redis::RedisResult;
use std::{io, sync::Arc, time::Duration};
use uuid::Uuid;

/// How long one command waits on the server.
const WAIT: Duration = Duration::from_secs(1);

/// Appends ids to their lists.
pub(super) async fn push(shared: &Shared, offers: &ByList) -> RedisResult<()> {
    let mut pipeline = redis::pipe();
    for ((lane, urgency), ready) in offers {
        let ids: Vec<&[u8]> = ready.iter().map(|ready| &ready.job.0.as_bytes()[..]).collect();
        pipeline.rpush(shared.names.waiting(*lane, *urgency), ids).ignore();
    }
    shared.link.ask_all(&pipeline).await
}

/// Takes ids over a connection of its own: a command that waits would hold others up.
pub(super) struct ListTap {
    shared: Arc<Shared>,
    lane: Lane,
    waiting: Option<Conn>,
}

impl ListTap {
    pub(super) fn new(shared: Arc<Shared>, lane: Lane) -> Self {
        Self { shared, lane, waiting: None }
    }

    fn lists<'a>(&self, command: &'a mut redis::Cmd) -> &'a mut redis::Cmd {
        command.arg(URGENCIES);
        for urgency in 0..URGENCIES {
            command.arg(self.shared.names.waiting(self.lane, urgency));
        }
        command
    }

    fn share(&self, max: usize) -> usize {
        self.shared.board.share(self.lane, max)
    }

    fn taken(&self, popped: Popped) -> Option<Taken> {
        let (list, bytes) = popped?;
        let urgency =
            (0..URGENCIES).find(|urgency| self.shared.names.waiting(self.lane, *urgency) == list)?;
        let ids = bytes.iter().filter_map(|id| Uuid::from_slice(id).ok()).map(JobId).collect();
        Some(Taken { urgency, ids })
    }
}

/// What a command took: the name of a list, and ids of it.
type Popped = Option<(String, Vec<Vec<u8>>)>;

#[async_trait]
impl Tap for ListTap {
    async fn take(&mut self, max: usize) -> RedisResult<Option<Taken>> {
        let mut now = redis::cmd("LMPOP");
        self.lists(&mut now).arg("LEFT").arg("COUNT").arg(self.share(max));
        Ok(self.taken(self.shared.link.ask(&now).await?))
    }

    async fn wait(&mut self, max: usize) -> RedisResult<Option<Taken>> {
        let mut wait = redis::cmd("BLMPOP");
        wait.arg(WAIT.as_secs_f64());
        self.lists(&mut wait).arg("LEFT").arg("COUNT").arg(self.share(max));
        if self.waiting.is_none() {
            self.waiting = Some(self.shared.link.source().connect_blocking(WAIT).await?);
        }
        let Some(connection) = &mut self.waiting else {
            return Err(io::Error::from(io::ErrorKind::NotConnected).into());
        };
        let popped = wait.query_async(connection).await?;
        Ok(self.taken(popped))
    }

    async fn put_back(&mut self, taken: Taken) {
        let bytes: Vec<&[u8]> = taken.ids.iter().rev().map(|id| &id.0.as_bytes()[..]).collect();
        let mut push = redis::cmd("LPUSH");
        push.arg(self.shared.names.waiting(self.lane, taken.urgency)).arg(bytes);
        if let Err(error) = self.shared.link.ask::<()>(&push).await {
            tracing::debug!(%error, away = is_away(&error), "ids could not be put back");
        }
    }

    fn reset(&mut self) {
        self.waiting = None;
    }
}
