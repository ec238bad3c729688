//! Queues of the crate `apalis-redis`, as it is: its push, its fetch, its registration and heartbeats, one queue per
//! lane and urgency. What is wrong with it is made up for here, from outside:
//!
//! - It polls. Who pushes says so on the channel of the lanes, and the report that every process asks for ten times a
//!   second finds what was missed.
//! - What it has handed out it keeps, and what is acknowledged it keeps for ever. An id that was taken is removed at
//!   once: its row says all that matters.
//! - Its script for due tasks fails for good beyond some 7,900 of them: lanes are kept shallow, and what is too much is
//!   thrown away, to be offered again by the reaper.
//! - A worker that missed heartbeats, or whose registration was lost with Redis, cannot go on: after any error it is
//!   registered anew, under a name that nobody has had.

use super::{
    Shared,
    push::ByList,
    tap::{Taken, Tap},
};
use crate::{
    link::Line,
    names::{Names, URGENCIES},
};
use apalis_core::{
    backend::Backend,
    task::{builder::TaskBuilder, task_id::TaskId},
    worker::context::WorkerContext,
};
use apalis_redis::{Config, RedisStorage, RedisTask, queries};
use async_trait::async_trait;
use chat_core::{JobId, Lane, Ready};
use redis::{RedisError, RedisResult};
use std::{collections::BTreeSet, future::poll_fn, io, sync::Arc, time::Duration};
use uuid::Uuid;

/// How often a worker of the crate says that it lives; after three that are missed another takes over what it fetched.
const HEARTBEAT: Duration = Duration::from_secs(10);
const MISSED: usize = 3;
/// How long to wait for an arrival: then heartbeats are looked after.
const WAIT: Duration = Duration::from_secs(1);
/// The most tasks of one push.
const PUSH: usize = 500;
/// How many tasks of one queue may be due before the rest is thrown away.
const TOO_MANY: isize = 4_000;
/// Where the crate lists all queues of a server, under no prefix at all.
const ALL_QUEUES: &str = "core:apalis:queues:list";

/// What the crate knows of a queue: never a lock, an event or a result.
fn config(names: &Names, lane: Lane, urgency: usize) -> Config {
    Config::default()
        .queue(names.queue(lane, urgency))
        .heartbeat_interval(HEARTBEAT)
        .missed_heartbeats(MISSED)
        .lock_tasks(false)
        .emit_events(false)
        .persist_results(false)
}

/// Where ids of a lane wait: the lists of those that may be fetched, then the sets of those that were pushed.
pub(super) fn waiting_keys(names: &Names, lane: Lane) -> Vec<String> {
    let configs = || (0..URGENCIES).map(|urgency| config(names, lane, urgency));
    let lists = configs().map(|config| config.active_jobs_list());
    lists.chain(configs().map(|config| config.scheduled_jobs_set())).collect()
}

/// Pushes ids, and wakes who waits for them.
pub(super) async fn push(shared: &Shared, offers: &ByList) -> RedisResult<()> {
    let mut line = Line(shared.link.clone());
    for ((lane, urgency), ready) in offers {
        let config = config(&shared.names, *lane, *urgency);
        for some in ready.chunks(PUSH) {
            let tasks: Vec<RedisTask> = some.iter().map(task).collect();
            queries::push_tasks(&mut line, &config, &tasks).await.map_err(redis_error)?;
        }
    }
    let mut told = redis::pipe();
    for lane in offers.keys().map(|(lane, _)| *lane).collect::<BTreeSet<_>>() {
        shared.board.offered(lane);
        told.publish(shared.names.lanes(), format!("offered {}", lane.as_str())).ignore();
    }
    shared.link.ask_all(&told).await
}

/// Every offer is a task of its own: the crate drops a task whose id it still has, and an id may be offered again.
/// Tasks of the same second come out in the order of their ids, which is that of time.
fn task(ready: &Ready) -> RedisTask {
    TaskBuilder::new(ready.job.0.as_bytes().to_vec())
        .task_id(TaskId::from_string(Uuid::now_v7().to_string()))
        .build()
}

/// The queues of one lane.
pub(super) struct ApalisTap {
    shared: Arc<Shared>,
    lane: Lane,
    members: [Option<Member>; URGENCIES],
}

impl ApalisTap {
    pub(super) fn new(shared: Arc<Shared>, lane: Lane) -> Self {
        Self { shared, lane, members: [const { None }; URGENCIES] }
    }

    /// How many tasks each queue has, and how many of them were pushed since the last fetch.
    async fn depths(&self) -> RedisResult<[(isize, isize); URGENCIES]> {
        let keys = waiting_keys(&self.shared.names, self.lane);
        let (lists, sets) = keys.split_at(URGENCIES);
        let mut ask = redis::pipe();
        for (list, set) in lists.iter().zip(sets) {
            ask.llen(list).zcard(set);
        }
        let counts: Vec<isize> = self.shared.link.ask_all(&ask).await?;
        let mut depths = [(0, 0); URGENCIES];
        for (depth, counts) in depths.iter_mut().zip(counts.chunks(2)) {
            *depth = (counts.iter().sum(), counts.last().copied().unwrap_or(0));
        }
        Ok(depths)
    }

    fn member(&mut self, urgency: usize) -> &mut Member {
        let (shared, lane) = (&self.shared, self.lane);
        self.members[urgency].get_or_insert_with(|| Member::new(shared, lane, urgency))
    }
}

#[async_trait]
impl Tap for ApalisTap {
    async fn take(&mut self, max: usize) -> RedisResult<Option<Taken>> {
        let share = self.shared.board.share(self.lane, max);
        for (urgency, (depth, due)) in self.depths().await?.into_iter().enumerate() {
            if depth == 0 {
                continue;
            }
            let member = self.member(urgency);
            if due > TOO_MANY {
                member.throw_away().await?;
            }
            let ids = member.fetch(share).await?;
            if !ids.is_empty() {
                return Ok(Some(Taken { urgency, ids }));
            }
        }
        Ok(None)
    }

    async fn wait(&mut self, max: usize) -> RedisResult<Option<Taken>> {
        tokio::time::timeout(WAIT, self.shared.board.arrival(self.lane)).await.ok();
        self.take(max).await
    }

    /// The crate has no way back that does not end its worker: they are pushed again.
    async fn put_back(&mut self, taken: Taken) {
        let priority = crate::names::priority(taken.urgency);
        let ready = taken.ids.iter().map(|job| Ready { job: *job, lane: self.lane, priority }).collect();
        let offers = ByList::from([((self.lane, taken.urgency), ready)]);
        if let Err(error) = push(&self.shared, &offers).await {
            tracing::debug!(%error, "ids could not be put back");
        }
    }

    fn reset(&mut self) {
        self.members = [const { None }; URGENCIES];
    }
}

/// This process as a worker of one queue.
struct Member {
    line: Line,
    config: Config,
    storage: RedisStorage<Vec<u8>, Line>,
    worker: WorkerContext,
    registered: bool,
}

impl Member {
    fn new(shared: &Shared, of: Lane, urgency: usize) -> Self {
        let line = Line(shared.link.clone());
        let config = config(&shared.names, of, urgency);
        Self {
            storage: RedisStorage::new(line.clone()).with_config(config.clone()),
            worker: WorkerContext::new(&Uuid::new_v4().to_string()),
            line,
            config,
            registered: false,
        }
    }

    /// Takes at most `max` ids: as many as there are free slots, so none is kept that could not run.
    async fn fetch(&mut self, max: usize) -> RedisResult<Vec<JobId>> {
        self.show_up().await?;
        let config = self.config.clone().batch_size(max.max(1));
        match queries::fetch_next(&mut self.line, &self.worker, &config).await {
            Ok(tasks) => {
                let fetched: Vec<_> =
                    tasks.iter().filter_map(|task| task.task_id()).map(TaskId::to_string).collect();
                self.forget(&fetched);
                let ids = tasks.iter().filter_map(|task| Uuid::from_slice(&task.args).ok());
                Ok(ids.map(JobId).collect())
            }
            Err(error) => {
                self.discard().await.ok(); // what it cannot read would come back again and again
                Err(redis_error(error))
            }
        }
    }

    /// Registers the worker, or says that it lives if it is time to.
    async fn show_up(&mut self) -> RedisResult<()> {
        poll_fn(|cx| Backend::poll_ready(&mut self.storage, cx, &self.worker)).await.map_err(redis_error)?;
        if !self.registered {
            // What the crate's board shows of workers and queues is never removed, and shared by all who use a server.
            let mut tidy = redis::pipe();
            tidy.zrem(ALL_QUEUES, self.config.workers_set()).ignore();
            tidy.del(self.config.worker_metadata_key(&self.worker)).ignore();
            self.line.0.ask_all::<()>(&tidy).await?;
            self.registered = true;
        }
        Ok(())
    }

    /// Removes all that the crate keeps of tasks, while their jobs are on their way already.
    fn forget(&self, tasks: &[String]) {
        if tasks.is_empty() {
            return;
        }
        let (removal, link) = (self.removal(tasks), self.line.0.clone());
        #[allow(clippy::disallowed_methods)] // ends with its command
        tokio::spawn(async move {
            if let Err(error) = link.ask_all::<()>(&removal).await {
                // Another worker fetches them once more after a while; their claims find the rows taken.
                tracing::debug!(%error, "tasks that were taken could not be removed");
            }
        });
    }

    /// Whole or not at all: the crate cannot fetch a task that has lost a part of it.
    fn removal(&self, tasks: &[String]) -> redis::Pipeline {
        let meta = self.config.job_meta_hash();
        let metas: Vec<_> = tasks.iter().map(|task| format!("{meta}:{task}")).collect();
        let mut removal = redis::pipe();
        removal.atomic();
        removal.srem(self.config.inflight_set_for(&self.worker), tasks).ignore();
        removal.zrem(self.config.scheduled_jobs_set(), tasks).ignore();
        removal.hdel(self.config.job_data_hash(), tasks).ignore();
        removal.del(metas).ignore();
        removal
    }

    /// Removes what this worker has fetched and not understood.
    async fn discard(&mut self) -> RedisResult<()> {
        let mut fetched = redis::cmd("SMEMBERS");
        fetched.arg(self.config.inflight_set_for(&self.worker));
        self.remove(self.line.0.ask(&fetched).await?).await
    }

    /// Removes what was pushed beyond what the crate's script can bear.
    async fn throw_away(&mut self) -> RedisResult<()> {
        let mut surplus = redis::cmd("ZRANGE");
        surplus.arg(self.config.scheduled_jobs_set()).arg(TOO_MANY).arg(-1);
        tracing::warn!(
            queue = self.config.queue.as_ref(),
            "a lane was too full: what is too much is offered again later"
        );
        self.remove(self.line.0.ask(&surplus).await?).await
    }

    async fn remove(&self, tasks: Vec<String>) -> RedisResult<()> {
        for some in tasks.chunks(PUSH) {
            self.line.0.ask_all::<()>(&self.removal(some)).await?;
        }
        Ok(())
    }
}

fn redis_error(error: apalis_redis::Error) -> RedisError {
    match error {
        apalis_redis::Error::Database(error) => error,
        other => io::Error::other(other.to_string()).into(),
    }
}
