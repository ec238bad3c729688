use crate::Timestamp;
use async_trait::async_trait;
use std::time::Duration;

/// Time, so that tests can fix it. Leases do not use it: they use the database's clock.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Waits.
    async fn sleep(&self, duration: Duration);
}
