//! What this process says goes out in groups: the first at once, what comes meanwhile with the next.

use super::{Shared, apalis, lists, tap::LaneKind};
use crate::names::urgency;
use chat_core::{Lane, Ready, Timestamp};
use redis::Script;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{mpsc, watch};

/// The most messages of one group.
const GROUP: usize = 1_024;
/// How long an announcement counts if nobody says that the backlog is gone.
const BACKLOG_STAYS_MS: u64 = 600_000;

/// Something to be said.
pub(super) enum Push {
    /// An id for its lane.
    Offer(Ready),
    /// SQL holds jobs of this lane.
    Backlog(Lane),
    /// SQL held no more when Redis had counted this.
    Drained(Lane, u64),
    /// A job waits for this time.
    Due(Timestamp),
}

/// Ids by the list that they belong to: their lane and urgency.
pub(super) type ByList = BTreeMap<(Lane, usize), Vec<Ready>>;

pub(super) struct Pusher {
    queue: mpsc::UnboundedSender<Push>,
    /// Dropped with the lanes: ends what runs beside them.
    _gone: watch::Sender<()>,
}

impl Pusher {
    pub(super) fn start(shared: Arc<Shared>, gone: watch::Sender<()>) -> Self {
        let (queue, messages) = mpsc::unbounded_channel();
        let sender = Sender {
            announce: Script::new(include_str!("announce.lua")),
            drained: Script::new(include_str!("drained.lua")),
            shared,
        };
        #[allow(clippy::disallowed_methods)] // ends when the queue's sender is dropped
        tokio::spawn(sender.run(messages));
        Self { queue, _gone: gone }
    }

    pub(super) fn push(&self, message: Push) {
        self.queue.send(message).ok(); // the sender ends with this queue
    }
}

struct Sender {
    shared: Arc<Shared>,
    announce: Script,
    drained: Script,
}

impl Sender {
    async fn run(self, mut messages: mpsc::UnboundedReceiver<Push>) {
        let mut group = Vec::with_capacity(GROUP);
        while messages.recv_many(&mut group, GROUP).await > 0 {
            let mut offers = Vec::with_capacity(group.len());
            let (mut backlogs, mut drained, mut due) = (Vec::new(), Vec::new(), None::<Timestamp>);
            for message in group.drain(..) {
                match message {
                    Push::Offer(ready) => offers.push(ready),
                    Push::Backlog(lane) if !backlogs.contains(&lane) => backlogs.push(lane),
                    Push::Backlog(_) => {}
                    Push::Drained(lane, number) => drained.push((lane, number)),
                    Push::Due(at) => due = Some(due.map_or(at, |known| known.min(at))),
                }
            }
            self.offer(offers).await;
            for lane in backlogs {
                self.say_backlog(lane).await;
            }
            for (lane, number) in drained {
                self.say_drained(lane, number).await;
            }
            if let Some(at) = due {
                self.say_due(at).await;
            }
        }
    }

    async fn offer(&self, offers: Vec<Ready>) {
        if offers.is_empty() {
            return;
        }
        let mut by_list = ByList::new();
        for ready in offers {
            by_list.entry((ready.lane, urgency(ready.priority))).or_default().push(ready);
        }
        let pushed = match self.shared.kind {
            LaneKind::Lists => lists::push(&self.shared, &by_list).await,
            LaneKind::Apalis => apalis::push(&self.shared, &by_list).await,
        };
        if let Err(error) = pushed {
            // The reaper makes a backlog of them.
            tracing::debug!(%error, "jobs were not handed out by Redis");
        }
    }

    async fn say_backlog(&self, lane: Lane) {
        let shared = &self.shared;
        shared.board.saying(lane);
        let mut call = self.announce.prepare_invoke();
        call.key(shared.names.backlog(lane))
            .arg(shared.names.lanes())
            .arg(lane.as_str())
            .arg(BACKLOG_STAYS_MS);
        match shared.link.run(&call).await {
            Ok(number) => shared.board.said(lane, number),
            // Every process looks into SQL as soon as Redis is back.
            Err(error) => tracing::debug!(%error, "a backlog could not be announced"),
        }
    }

    async fn say_drained(&self, lane: Lane, number: u64) {
        let shared = &self.shared;
        let mut call = self.drained.prepare_invoke();
        call.key(shared.names.backlog(lane)).arg(shared.names.lanes()).arg(lane.as_str()).arg(number);
        if let Ok(1) = shared.link.run::<i32>(&call).await {
            shared.board.forgotten(lane, number);
        }
    }

    async fn say_due(&self, at: Timestamp) {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(self.shared.names.lanes()).arg(format!("due {}", at.0));
        self.shared.link.ask::<()>(&publish).await.ok(); // relays look by themselves now and then
    }
}
