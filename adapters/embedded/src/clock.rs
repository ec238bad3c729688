//! The machine's clock.

use async_trait::async_trait;
use chat_core::{Timestamp, ports::Clock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn goes_on() {
        let before = SystemClock.now();
        SystemClock.sleep(Duration::from_millis(5)).await;
        let passed = SystemClock.now().since(before);
        assert!(passed >= Duration::from_millis(4), "only {passed:?} passed");
        assert!(before > Timestamp(1_700_000_000_000), "{before} is long ago");
    }
}
