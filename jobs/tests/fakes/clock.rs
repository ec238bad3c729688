use async_trait::async_trait;
use chat_core::{Timestamp, ports::Clock};
use std::{sync::Mutex, time::Duration};
use tokio::sync::oneshot;

/// Time that passes only when a test says so.
#[derive(Default)]
pub struct FakeClock(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    now: Duration,
    sleepers: Vec<(Duration, oneshot::Sender<()>)>,
}

/// When every test begins.
const BEGIN: i64 = 1_700_000_000_000;

impl FakeClock {
    /// Lets time pass, and lets whoever waited for it run.
    pub async fn advance(&self, by: Duration) {
        {
            let mut inner = self.0.lock().unwrap();
            inner.now += by;
            let now = inner.now;
            let (due, rest) = std::mem::take(&mut inner.sleepers).into_iter().partition(|(at, _)| *at <= now);
            inner.sleepers = rest;
            for (_, waker) in due as Vec<(Duration, oneshot::Sender<()>)> {
                let _ = waker.send(());
            }
        }
        settle().await;
    }
}

/// Lets every task run until it waits for something.
pub async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(BEGIN + self.0.lock().unwrap().now.as_millis() as i64)
    }

    async fn sleep(&self, duration: Duration) {
        let (sender, woken) = oneshot::channel();
        {
            let mut inner = self.0.lock().unwrap();
            let at = inner.now + duration;
            inner.sleepers.retain(|(_, waker)| !waker.is_closed());
            inner.sleepers.push((at, sender));
        }
        let _ = woken.await;
    }
}
