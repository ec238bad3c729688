//! From the commit of a job to its handler, the durable claim included, when nothing else is to do.

use super::{figures::Figures, probe::Probe, rig::Rig};
use crate::failure::Outcome;
use std::time::{Duration, Instant};

/// Between two jobs: the system is idle again.
const PAUSE: Duration = Duration::from_millis(3);

pub(super) async fn measure(rig: &Rig, count: usize) -> Outcome<Figures> {
    let mut figures = Figures::default();
    for run in 0..rig.runs {
        let opened = rig.open(run).await?;
        let worker = rig.worker(&opened).await;
        let (mut inserts, mut pickups) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let before = Probe::begun();
            let started = Instant::now();
            Probe::enqueue(&opened.ports).await?;
            let durable = Instant::now();
            let begun = Probe::wait_for(before + 1).await;
            inserts.push(durable - started);
            pickups.push(begun.saturating_duration_since(durable));
            tokio::time::sleep(PAUSE).await;
        }
        figures.add_times(["insert_ms.p50", "insert_ms.p99"], inserts);
        figures.add_times(["pickup_ms.p50", "pickup_ms.p99"], pickups);
        worker.drain(Duration::from_secs(1)).await;
        opened.close().await;
    }
    Ok(figures)
}
