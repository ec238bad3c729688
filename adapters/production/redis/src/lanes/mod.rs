//! Lanes over Redis: ids only, and never many of them, for SQL decides the order. While Redis is away workers look into
//! SQL by themselves. What keeps the ids is chosen: lists of our own, or the crate `apalis-redis`.

mod apalis;
mod board;
mod lists;
mod pull;
mod push;
mod tap;

pub(crate) use board::LaneBoard;
pub use tap::LaneKind;

use crate::{
    link::Link,
    names::{Names, URGENCIES},
};
use async_trait::async_trait;
use board::Report;
use chat_core::{
    Lane, PortResult, Ready, Timestamp,
    ports::{Announced, Lanes, Work},
};
use pull::Puller;
use push::{Push, Pusher};
use redis::Script;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, interval},
};
use uuid::Uuid;

/// How often the estimates are made exact.
const REPORT: Duration = Duration::from_millis(100);
/// How long a process counts that does not report any more.
const STAYS: Duration = Duration::from_secs(2);
/// How often SQL is asked although nobody announced anything: announcements may be lost with Redis.
const LOOK: Duration = Duration::from_secs(2);
/// The same while Redis is away, when nobody can announce anything.
const LOOK_ALONE: Duration = Duration::from_millis(250);

/// Job ids on their way to the workers of all processes.
pub struct RedisLanes {
    shared: Arc<Shared>,
    pusher: Pusher,
    pullers: [Puller; Lane::ALL.len()],
}

pub(crate) struct Shared {
    link: Arc<Link>,
    names: Arc<Names>,
    board: Arc<LaneBoard>,
    kind: LaneKind,
    /// This process, among those that report.
    process: Uuid,
    /// Asks for a report at once.
    changed: Notify,
}

impl RedisLanes {
    pub(crate) fn start(link: Arc<Link>, names: Arc<Names>, board: Arc<LaneBoard>, kind: LaneKind) -> Self {
        let shared =
            Arc::new(Shared { link, names, board, kind, process: Uuid::new_v4(), changed: Notify::new() });
        let gone = watch::Sender::new(());
        #[allow(clippy::disallowed_methods)] // ends with the lanes
        tokio::spawn(keep_exact(shared.clone(), gone.subscribe()));
        Self {
            pusher: Pusher::start(shared.clone(), gone),
            pullers: Lane::ALL.map(|lane| Puller::new(shared.clone(), lane)),
            shared,
        }
    }
}

/// Reports what this process takes, and hears what the lanes hold.
async fn keep_exact(shared: Arc<Shared>, mut gone: watch::Receiver<()>) {
    let script = Script::new(include_str!("report.lua"));
    let (mut ticks, mut looked) = (interval(REPORT), Instant::now());
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shared.changed.notified() => {}
            _ = gone.changed() => return,
        }
        let up = shared.link.is_up();
        if looked.elapsed() >= if up { LOOK } else { LOOK_ALONE } {
            looked = Instant::now();
            if up { shared.board.look_soon() } else { shared.board.look_everywhere() }
        }
        if up && let Err(error) = shared.report(&script).await {
            tracing::debug!(%error, "the lanes could not be looked at");
        }
    }
}

impl Shared {
    async fn report(&self, script: &Script) -> redis::RedisResult<()> {
        let mut call = script.prepare_invoke();
        call.key(self.names.slots());
        for lane in Lane::ALL {
            call.key(self.names.backlog(lane));
            for key in self.waiting_keys(lane) {
                call.key(key);
            }
        }
        let (lists, sets) = match self.kind {
            LaneKind::Lists => (URGENCIES, 0),
            LaneKind::Apalis => (URGENCIES, URGENCIES),
        };
        call.arg(self.process.to_string()).arg(STAYS.as_millis() as u64).arg(lists).arg(sets);
        for lane in Lane::ALL {
            call.arg(self.board.own_slots(lane));
        }
        let reports: Vec<(usize, i64, u64)> = self.link.run(&call).await?;
        for (lane, (slots, depth, backlog)) in Lane::ALL.into_iter().zip(reports) {
            self.board.report(lane, &Report { slots, depth, backlog });
        }
        Ok(())
    }

    /// Where the ids of a lane wait: lists first, then sorted sets.
    fn waiting_keys(&self, lane: Lane) -> Vec<String> {
        let urgencies = 0..URGENCIES;
        match self.kind {
            LaneKind::Lists => urgencies.map(|urgency| self.names.waiting(lane, urgency)).collect(),
            LaneKind::Apalis => apalis::waiting_keys(&self.names, lane),
        }
    }
}

#[async_trait]
impl Lanes for RedisLanes {
    fn has_room(&self, lane: Lane) -> bool {
        self.shared.link.is_up() && self.shared.board.promise(lane)
    }

    async fn offer(&self, ready: Ready) {
        self.pusher.push(Push::Offer(ready));
    }

    async fn take(&self, lane: Lane, max: usize) -> PortResult<Work> {
        let (board, puller) = (&self.shared.board, &self.pullers[lane as usize]);
        loop {
            let backlog = board.backlog(lane);
            if let Some(announced) = backlog
                && (board.seems_empty(lane) || !self.shared.link.is_up())
            {
                board.asking(lane);
                return Ok(Work::Backlog(announced));
            }
            tokio::select! {
                biased;
                ids = puller.pull(max, backlog.is_none()) => {
                    if let Some(ids) = ids {
                        board.taken(lane, ids.len());
                        return Ok(Work::Offered(ids));
                    }
                }
                () = board.told(lane), if backlog.is_none() => {}
            }
        }
    }

    fn backlog(&self, lane: Lane) {
        if self.shared.board.announce(lane) {
            self.pusher.push(Push::Backlog(lane));
        }
    }

    fn drained(&self, lane: Lane, announced: Announced) {
        if self.shared.board.drained(lane, announced) {
            self.pusher.push(Push::Drained(lane, announced.0));
        }
    }

    fn due(&self, at: Timestamp) {
        self.shared.board.due(at);
        self.pusher.push(Push::Due(at));
    }

    async fn due_before(&self, known: Option<Timestamp>) {
        self.shared.board.due_before(known).await;
    }

    fn set_slots(&self, lane: Lane, slots: usize) {
        self.shared.board.set_slots(lane, slots);
        self.shared.changed.notify_one();
    }

    async fn ping(&self) -> PortResult<()> {
        self.shared.link.ping().await
    }
}

impl Drop for RedisLanes {
    fn drop(&mut self) {
        for puller in &self.pullers {
            puller.stop.store(true, Ordering::Relaxed);
        }
    }
}
