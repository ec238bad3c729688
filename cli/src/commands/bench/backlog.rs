//! Whether a long backlog slows the drain down.

use super::{figures::Figures, probe::Probe, rig::Rig};
use crate::failure::Outcome;
use std::time::{Duration, Instant};

/// The short backlog that the long one is held against.
const FEW: usize = 10_000;

pub(super) async fn measure(rig: &Rig, count: usize) -> Outcome<Figures> {
    let mut figures = Figures::default();
    for run in 0..rig.runs {
        let few = drain(rig, run * 2, FEW).await?;
        let many = drain(rig, run * 2 + 1, count).await?;
        figures.add("few_jobs_per_second", "jobs/s", few);
        figures.add("jobs_per_second", "jobs/s", many);
        figures.add("ratio", "", many / few);
    }
    Ok(figures)
}

async fn drain(rig: &Rig, run: u32, count: usize) -> Outcome<f64> {
    let opened = rig.open(run).await?;
    Probe::enqueue_many(&opened.ports, count).await?;
    let before = Probe::begun();
    let started = Instant::now();
    let worker = rig.worker(&opened).await;
    Probe::wait_for(before + count).await;
    Probe::settled(&opened.ports).await?;
    let rate = count as f64 / started.elapsed().as_secs_f64();
    worker.drain(Duration::from_secs(1)).await;
    opened.close().await;
    Ok(rate)
}
