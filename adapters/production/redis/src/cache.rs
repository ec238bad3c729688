//! Cached values, shared by all processes.

use crate::{link::Link, names::Names};
use async_trait::async_trait;
use chat_core::ports::Cache;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How many keys are remembered that could not be forgotten.
const MOST_STALE: usize = 100_000;

/// Values in Redis, each with a time to live.
pub struct RedisCache {
    link: Arc<Link>,
    names: Arc<Names>,
    stale: Arc<Stale>,
}

/// Keys that were to be forgotten while Redis was away: they are not read before that is done.
#[derive(Default)]
struct Stale(Mutex<HashSet<String>>);

impl Stale {
    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RedisCache {
    pub(crate) fn start(link: Arc<Link>, names: Arc<Names>) -> Self {
        let stale = Arc::new(Stale::default());
        #[allow(clippy::disallowed_methods)] // ends with the link
        tokio::spawn(forget_late(link.clone(), stale.clone()));
        Self { link, names, stale }
    }
}

async fn forget_late(link: Arc<Link>, stale: Arc<Stale>) {
    let mut up = link.watch();
    while up.wait_for(|up| *up).await.is_ok() {
        let keys: Vec<_> = stale.lock().iter().cloned().collect();
        for group in keys.chunks(256) {
            let forget = |key| {
                let mut forget = redis::cmd("DEL");
                forget.arg(key);
                forget
            };
            if link.ask_each::<()>(&group.iter().map(forget).collect::<Vec<_>>()).await.is_ok() {
                let mut stale = stale.lock();
                for key in group {
                    stale.remove(key);
                }
            }
        }
        if up.wait_for(|up| !*up).await.is_err() {
            return;
        }
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, key: &str) -> Option<Arc<str>> {
        let key = self.names.cached(key);
        if self.stale.lock().contains(&key) {
            return None;
        }
        let found = self.link.ask::<Option<String>>(redis::cmd("GET").arg(key)).await;
        found.ok().flatten().map(Arc::from)
    }

    async fn put(&self, key: &str, value: Arc<str>, ttl: Duration) {
        let mut set = redis::cmd("SET");
        set.arg(self.names.cached(key)).arg(&*value).arg("PX").arg((ttl.as_millis() as u64).max(1));
        if let Err(error) = self.link.ask::<()>(&set).await {
            tracing::debug!(%error, "a value was not cached");
        }
    }

    async fn forget(&self, key: &str) {
        let key = self.names.cached(key);
        if self.link.ask::<()>(redis::cmd("DEL").arg(&key)).await.is_err() {
            let mut stale = self.stale.lock();
            if stale.len() < MOST_STALE {
                stale.insert(key);
            }
        }
    }
}
