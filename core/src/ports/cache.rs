use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// Values that can be computed again. A cache never fails: what it cannot keep or find is absent.
///
/// A value may be older than the last one that was put: other processes put late, and connections are lost. Whoever
/// uses it has to know by itself that it is still right (see [`memo`](crate::memo)).
#[async_trait]
pub trait Cache: Send + Sync {
    /// What was put under this key, if it is still there.
    async fn get(&self, key: &str) -> Option<Arc<str>>;
    /// Keeps a value for `ttl`.
    async fn put(&self, key: &str, value: Arc<str>, ttl: Duration);
    /// Forgets one key, now or as soon as that is possible: to save space, never to be right.
    async fn forget(&self, key: &str);
}
