//! Live events: a Redis stream per response for who comes later, pub/sub for who listens, in one script.

use crate::{
    follower::RedisFollower,
    hub::{Hub, write_control},
    subscriber::Subscriber,
};
use async_trait::async_trait;
use chat_core::{
    Event, Fence, PortResult, StreamId,
    ports::{Bus, Control, Follower},
};
use futures::{StreamExt, stream, stream::BoxStream};
use redis::Script;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::broadcast::error::RecvError;

/// How long Redis keeps a stream after its last event; SQL keeps it for days.
const STAYS: Duration = Duration::from_mins(10);
/// How many batches of a stream Redis keeps, about.
const ENTRIES: u32 = 256;
/// How many streams are remembered whose readers missed something.
const MOST_UNSAID: usize = 10_000;

/// Events and control messages over Redis.
pub struct RedisBus {
    hub: Arc<Hub>,
    subscriber: Arc<Subscriber>,
    publish: Script,
    unsaid: Arc<Unsaid>,
}

/// Streams whose events could not be published: their readers are told to look into SQL.
#[derive(Default)]
struct Unsaid(Mutex<HashSet<StreamId>>);

impl Unsaid {
    fn lock(&self) -> MutexGuard<'_, HashSet<StreamId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, stream: StreamId) {
        let mut streams = self.lock();
        if streams.len() < MOST_UNSAID {
            streams.insert(stream);
        }
    }
}

impl RedisBus {
    pub(crate) fn start(hub: Arc<Hub>, subscriber: Arc<Subscriber>) -> Self {
        let unsaid = Arc::new(Unsaid::default());
        #[allow(clippy::disallowed_methods)] // ends with the link
        tokio::spawn(make_up(hub.clone(), unsaid.clone()));
        Self { hub, subscriber, publish: Script::new(include_str!("publish.lua")), unsaid }
    }
}

/// As soon as Redis is back, readers of what could not be said are told that they missed something.
async fn make_up(hub: Arc<Hub>, unsaid: Arc<Unsaid>) {
    let mut up = hub.link.watch();
    while up.wait_for(|up| *up).await.is_ok() {
        let streams: Vec<_> = unsaid.lock().drain().collect();
        for group in streams.chunks(256) {
            let tell = |stream: &StreamId| {
                let mut tell = redis::cmd("PUBLISH");
                tell.arg(hub.names.stream(*stream)).arg("");
                tell
            };
            if hub.link.ask_each::<()>(&group.iter().map(tell).collect::<Vec<_>>()).await.is_err() {
                for stream in group {
                    unsaid.add(*stream);
                }
            }
        }
        if up.wait_for(|up| !*up).await.is_err() {
            return;
        }
    }
}

#[async_trait]
impl Bus for RedisBus {
    async fn seize(&self, stream: StreamId, fence: Fence) -> Option<u64> {
        let names = &self.hub.names;
        let mut pipeline = redis::pipe();
        pipeline.cmd("SET").arg(names.fence(stream)).arg(fence.0.to_string());
        pipeline.arg("PX").arg(STAYS.as_millis() as u64).ignore();
        pipeline.cmd("XREVRANGE").arg(names.events(stream)).arg("+").arg("-").arg("COUNT").arg(1);
        match self.hub.link.ask_all::<(Vec<(String, Vec<redis::Value>)>,)>(&pipeline).await {
            Ok((newest,)) => newest.first()?.0.split('-').next()?.parse().ok(),
            Err(error) => {
                tracing::debug!(%error, "a stream has no fence in Redis");
                None
            }
        }
    }

    async fn publish(&self, stream: StreamId, fence: Option<Fence>, events: &[Event]) {
        let Some(last) = events.last() else { return };
        let lines = events.iter().map(|event| &*event.data).collect::<Vec<_>>().join("\n");
        let mut script = self.publish.prepare_invoke();
        script
            .key(self.hub.names.events(stream))
            .key(self.hub.names.fence(stream))
            .arg(fence.map(|fence| fence.0.to_string()).unwrap_or_default())
            .arg(self.hub.names.stream(stream))
            .arg(last.seq)
            .arg(lines)
            .arg(STAYS.as_millis() as u64)
            .arg(ENTRIES);
        if let Err(error) = self.hub.link.run::<i32>(&script).await {
            tracing::debug!(%error, "events were not published");
            self.unsaid.add(stream);
            // Who reads it in this process needs no Redis.
            self.hub.take_in(stream, events).await;
        }
    }

    /// Redis keeps a bounded number of batches for a bounded time, whether or not SQL has them.
    fn persisted(&self, _: StreamId, _: u64) {}

    async fn follow(&self, stream: StreamId) -> PortResult<Box<dyn Follower>> {
        let follower = RedisFollower::open(self.hub.clone(), self.subscriber.clone(), stream).await?;
        Ok(Box::new(follower))
    }

    async fn control(&self, message: Control) {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(self.hub.names.control()).arg(write_control(&message));
        if let Err(error) = self.hub.link.ask::<()>(&publish).await {
            tracing::debug!(%error, "a control message was heard in this process only");
            self.hub.controls.send(message).ok();
        }
    }

    async fn controls(&self) -> PortResult<BoxStream<'static, Control>> {
        let messages = stream::unfold(self.hub.controls.subscribe(), |mut told| async {
            loop {
                match told.recv().await {
                    Ok(message) => return Some((message, told)),
                    Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "control messages were missed"),
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        Ok(messages.boxed())
    }

    async fn ping(&self) -> PortResult<()> {
        self.hub.link.ping().await
    }
}
