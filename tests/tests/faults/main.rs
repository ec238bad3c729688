//! Processes that die or stop, engines and networks that go away, under load and with a history checker. The seed is
//! printed; `SEED=n` repeats a run.
//!
//! The load is small enough for CI; `FAULT_TURNS=300 FAULT_DOCUMENTS=60` is that of an acceptance run, which also
//! keeps engines away for as long as is promised.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod kill;
mod load;
mod network;
mod postgres;
mod processes;
mod redis;
mod redis_nodes;
mod rolling;
mod stage;
mod stores;
mod tools;

use rand::{SeedableRng, rngs::SmallRng};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// After a fault everything that waited goes on within this time.
const RECOVERY: Duration = Duration::from_secs(15);

/// One test at a time: their deadlines are those of a machine that does nothing else.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// The randomness of a test, which its seed repeats.
fn random(test: &str) -> SmallRng {
    let seed = number("SEED").unwrap_or_else(rand::random);
    println!("{test}: SEED={seed}");
    SmallRng::seed_from_u64(seed)
}

/// How much is under way.
#[derive(Debug, Clone, Copy)]
struct Size {
    turns: usize,
    documents: usize,
}

impl Size {
    fn wanted() -> Self {
        Self {
            turns: number("FAULT_TURNS").unwrap_or(60) as usize,
            documents: number("FAULT_DOCUMENTS").unwrap_or(12) as usize,
        }
    }
}

/// How long something stays away: as long as is promised in an acceptance run, else at most a little longer than a
/// lease.
fn outage(promised: u64) -> Duration {
    let acceptance = Size::wanted().turns >= 300;
    Duration::from_secs(if acceptance { promised } else { promised.min(14) })
}
