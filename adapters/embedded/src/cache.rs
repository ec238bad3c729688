//! A cache in process: bounded by bytes, each value with its own time to live.

use async_trait::async_trait;
use chat_core::ports::Cache;
use moka::{Expiry, future::Cache as Moka};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// What all values together may take, keys and bookkeeping included.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// What an entry costs besides its key and value.
const ENTRY_BYTES: usize = 128;

/// Values in the memory of this process.
#[derive(Clone)]
pub struct MemoryCache {
    entries: Moka<Arc<str>, Entry>,
}

#[derive(Clone)]
struct Entry {
    value: Arc<str>,
    ttl: Duration,
}

/// Each entry says itself how long it lives, from its last write on.
struct OwnTtl;

impl Expiry<Arc<str>, Entry> for OwnTtl {
    fn expire_after_create(&self, _: &Arc<str>, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.ttl)
    }

    fn expire_after_update(
        &self,
        _: &Arc<str>,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.ttl)
    }
}

impl MemoryCache {
    /// An empty cache that keeps at most 64 MiB.
    pub fn new() -> Self {
        Self::bounded(MAX_BYTES)
    }

    fn bounded(bytes: u64) -> Self {
        let entries = Moka::builder()
            .max_capacity(bytes)
            .weigher(|key: &Arc<str>, entry: &Entry| {
                u32::try_from(key.len() + entry.value.len() + ENTRY_BYTES).unwrap_or(u32::MAX)
            })
            .expire_after(OwnTtl)
            .build();
        Self { entries }
    }
}

impl Default for MemoryCache {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, key: &str) -> Option<Arc<str>> {
        self.entries.get(key).await.map(|entry| entry.value)
    }

    async fn put(&self, key: &str, value: Arc<str>, ttl: Duration) {
        self.entries.insert(key.into(), Entry { value, ttl }).await;
    }

    async fn forget(&self, key: &str) {
        self.entries.invalidate(key).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn gives_back_what_was_put_until_it_is_forgotten() {
        let cache = MemoryCache::new();
        assert_eq!(cache.get("会话").await, None);
        cache.put("会话", "一".into(), LONG).await;
        cache.put("会话", "二".into(), LONG).await;
        assert_eq!(cache.get("会话").await.as_deref(), Some("二"));
        cache.forget("会话").await;
        assert_eq!(cache.get("会话").await, None);
    }

    #[tokio::test]
    async fn each_value_has_its_own_time() {
        let cache = MemoryCache::new();
        cache.put("long", "stays".into(), LONG).await;
        cache.put("short", "goes".into(), Duration::from_millis(20)).await;
        let deadline = Instant::now() + Duration::from_secs(5);
        while cache.get("short").await.is_some() {
            assert!(Instant::now() < deadline, "an expired value is still there");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(cache.get("long").await.as_deref(), Some("stays"));
    }

    #[tokio::test]
    async fn a_second_put_gives_a_new_time() {
        let cache = MemoryCache::new();
        cache.put("key", "first".into(), LONG).await;
        cache.put("key", "second".into(), Duration::from_millis(20)).await;
        let deadline = Instant::now() + Duration::from_secs(5);
        while cache.get("key").await.is_some() {
            assert!(Instant::now() < deadline, "the second time to live was ignored");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn stays_within_its_bytes() {
        let cache = MemoryCache::bounded(64 * 1024);
        for n in 0..1_000 {
            cache.put(&format!("key {n}"), "x".repeat(1_024).into(), LONG).await;
        }
        cache.entries.run_pending_tasks().await;
        assert!(cache.entries.weighted_size() <= 64 * 1024, "{} bytes", cache.entries.weighted_size());
        assert!(cache.entries.entry_count() > 0);
    }
}
