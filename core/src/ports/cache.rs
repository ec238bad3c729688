use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// Values that can be computed again. A cache never fails: what it cannot keep or find is absent.
#[async_trait]
pub trait Cache: Send + Sync {
    /// What was put under this key, if it is still there.
    async fn get(&self, key: &str) -> Option<Arc<str>>;
    /// Keeps a value for `ttl`.
    async fn put(&self, key: &str, value: Arc<str>, ttl: Duration);
    /// Forgets one key.
    async fn forget(&self, key: &str);
}
