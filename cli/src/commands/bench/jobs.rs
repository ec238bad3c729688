//! Jobs that do nothing: durable rows, lanes, claims and ends, every feature on.

use super::{
    figures::Figures,
    probe::Probe,
    rig::{Rig, resident_mib},
};
use crate::failure::Outcome;
use std::time::{Duration, Instant};

pub(super) async fn measure(rig: &Rig, count: usize) -> Outcome<Figures> {
    let mut figures = Figures::default();
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    for run in 0..rig.runs {
        let opened = rig.open(run).await?;
        let enqueued = Probe::enqueue_many(&opened.ports, count).await?;
        figures.add("enqueue_per_second", "jobs/s", rate(enqueued));
        let started = Instant::now();
        let before = Probe::begun();
        let worker = rig.worker(&opened).await;
        Probe::wait_for(before + count).await;
        Probe::settled(&opened.ports).await?;
        figures.add("jobs_per_second", "jobs/s", rate(started.elapsed()));
        let started = Instant::now();
        Probe::enqueue_many(&opened.ports, count).await?;
        Probe::wait_for(before + 2 * count).await;
        Probe::settled(&opened.ports).await?;
        figures.add("together_per_second", "jobs/s", rate(started.elapsed()));
        figures.add("rss_mib", "MiB", resident_mib());
        worker.drain(Duration::from_secs(1)).await;
        opened.close().await;
    }
    Ok(figures)
}
