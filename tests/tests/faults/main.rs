//! Processes that die, under load and with a history checker. The seed is
//! printed; `SEED=n` repeats a run.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod kill;
mod load;

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
