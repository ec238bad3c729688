//! A reader of one stream.

use crate::{hub::Hub, subscriber::Subscriber};
use async_trait::async_trait;
use chat_core::{
    PortResult, StreamId,
    ports::{Bus, Follower, Tail},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

/// While nothing can be heard SQL is looked at so often.
const LOOK: Duration = Duration::from_millis(400);
/// How long a subscription may take before the reader goes on without.
const SUBSCRIBE: Duration = Duration::from_secs(2);

pub(crate) struct RedisFollower {
    hub: Arc<Hub>,
    subscriber: Arc<Subscriber>,
    stream: StreamId,
    mirrored: Box<dyn Follower>,
    missed: watch::Receiver<u64>,
}

impl RedisFollower {
    /// Listens first, reads what was said before then: nothing falls in between.
    pub(crate) async fn open(
        hub: Arc<Hub>,
        subscriber: Arc<Subscriber>,
        stream: StreamId,
    ) -> PortResult<Self> {
        let mirrored = hub.mirror.follow(stream).await?;
        let channel = hub.names.stream(stream);
        let (missed, heard) = hub.enter(stream, || subscriber.add(channel));
        // From here on its drop leaves the hub.
        let follower = Self { hub, subscriber, stream, mirrored, missed };
        if matches!(timeout(SUBSCRIBE, heard).await, Ok(Ok(true))) {
            follower.hub.replay(&[stream]).await;
        }
        Ok(follower)
    }
}

#[async_trait]
impl Follower for RedisFollower {
    async fn next(&mut self, after: u64) -> PortResult<Tail> {
        // Where nobody can publish nothing is heard, although the connection that hears may be to a node that is left.
        let mut up = self.hub.link.watch();
        let deaf = !*up.borrow_and_update() || !self.hub.is_hearing();
        tokio::select! {
            biased;
            tail = self.mirrored.next(after) => tail,
            Ok(()) = self.missed.changed() => Ok(Tail::Behind),
            Ok(()) = up.changed() => Ok(Tail::Behind),
            () = sleep(LOOK), if deaf => Ok(Tail::Behind),
        }
    }
}

impl Drop for RedisFollower {
    fn drop(&mut self) {
        let channel = self.hub.names.stream(self.stream);
        self.hub.leave(self.stream, || self.subscriber.remove(channel));
    }
}
