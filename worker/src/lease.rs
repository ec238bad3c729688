//! Says that this worker lives, and frees the jobs of those that do not, all by the database's clock.

use crate::{engine::Engine, names};

/// How often the dead are looked for between two heartbeats: a lease that ended is noticed soon.
const LOOKS: u32 = 3;

/// First the heartbeat, then the reaping: a worker that was stopped for a while never reaps itself. Nor others, until
/// its next heartbeat: if the store was away it has heard from nobody, and the first who reaches it again would take
/// all others for dead.
pub(crate) async fn run(engine: &Engine) {
    let (clock, heartbeat) = (&engine.ports.clock, engine.options.heartbeat);
    let (mut last, mut settled) = (clock.now(), false);
    for look in (0..LOOKS).cycle() {
        clock.sleep(heartbeat / LOOKS).await;
        if look == LOOKS - 1 && beat(engine).await {
            settled = clock.now().since(last) < heartbeat * 2;
            last = clock.now();
        }
        if settled && clock.now().since(last) < heartbeat * 2 {
            reap(engine).await;
        }
    }
}

/// Whether the store took the heartbeat.
pub(crate) async fn beat(engine: &Engine) -> bool {
    match engine.ports.store.heartbeat(engine.id, &engine.options.lanes).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(error = %error, "the heartbeat could not be written");
            false
        }
    }
}

pub(crate) async fn reap(engine: &Engine) {
    match engine.ports.store.reap(engine.options.lease, engine.options.offer_again).await {
        Ok(reaped) => {
            if reaped.orphaned > 0 {
                metrics::counter!(names::REAPED).increment(reaped.orphaned);
                tracing::warn!(jobs = reaped.orphaned, "jobs of workers that are gone run again");
            }
            for lane in reaped.lanes {
                engine.ports.lanes.backlog(lane);
            }
        }
        Err(error) => tracing::warn!(error = %error, "nothing could be reaped"),
    }
}
