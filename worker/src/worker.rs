//! A worker process: starts the parts, and stops them in order.

use crate::{attempt, backend::LaneBackend, control, cron, engine::Engine, finish, lease, relay};
use apalis::prelude::{BoxDynError, Monitor, ParallelizeExt, WorkerBuilder};
use chat_core::WorkerId;
use futures::future::BoxFuture;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// A running worker.
pub struct Worker {
    engine: Arc<Engine>,
}

impl Worker {
    /// Announces the worker, then starts a lane at a time and what stands beside them.
    pub fn start(engine: Engine) -> BoxFuture<'static, Self> {
        Box::pin(async move {
            let engine = Arc::new(engine);
            finish::count_from_zero(&engine.registry);
            // A claim of a worker that nobody has heard of would be reaped at once.
            while !lease::beat(&engine).await {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            lease::reap(&engine).await;
            // For as long as a job may run here, in the grace period of a stop too.
            let beside = engine.clone();
            spawn(&engine, &engine.abandon, async move { lease::run(&beside).await });
            let beside = engine.clone();
            spawn(&engine, &engine.abandon, async move { control::hear(&beside).await });
            let beside = engine.clone();
            spawn(&engine, &engine.abandon, async move { control::look(&beside).await });
            let beside = engine.clone();
            spawn(&engine, &engine.stop, async move { relay::run(&beside).await });
            for at in 0..engine.schedules.len() {
                let beside = engine.clone();
                spawn(&engine, &engine.stop, async move { cron::run(&beside, &beside.schedules[at]).await });
            }
            engine.tracker.spawn(run_lanes(engine.clone()));
            Self { engine }
        })
    }

    /// Who it is.
    pub fn id(&self) -> WorkerId {
        self.engine.id
    }

    /// How many jobs run here.
    pub fn running(&self) -> usize {
        self.engine.running.count()
    }

    /// Takes no more jobs, lets what runs end within `grace`, hands the rest back, and signs off.
    pub fn drain(self, grace: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let engine = self.engine;
            engine.stop.cancel();
            let idle = async {
                while engine.running.count() > 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            if tokio::time::timeout(grace, idle).await.is_err() {
                tracing::warn!(
                    jobs = engine.running.count(),
                    "the grace period is over: running jobs are handed back"
                );
            }
            engine.abandon.cancel();
            engine.tracker.close();
            if tokio::time::timeout(Duration::from_secs(5), engine.tracker.wait()).await.is_err() {
                tracing::warn!("some tasks did not end in time");
            }
            if let Err(error) = engine.ports.store.retire(engine.id).await {
                tracing::warn!(error = %error, "the worker could not sign off");
            }
        })
    }
}

/// A part that runs until the token fires.
fn spawn(engine: &Engine, until: &CancellationToken, part: impl Future<Output = ()> + Send + 'static) {
    let stop = until.clone();
    engine.tracker.spawn(async move { stop.run_until_cancelled_owned(part).await });
}

/// One apalis worker per lane. A lane whose worker ends while it should not is started again.
async fn run_lanes(engine: Arc<Engine>) {
    let mut monitor = Monitor::new().shutdown_timeout(Duration::from_secs(1));
    for (lane, slots) in engine.options.lanes.clone() {
        let engine = engine.clone();
        monitor = monitor.register(move |run| {
            let (engine, tracker) = (engine.clone(), engine.tracker.clone());
            WorkerBuilder::new(format!("{}-{}-{run}", lane.as_str(), engine.id))
                .backend(LaneBackend::new(engine.clone(), lane, slots))
                .parallelize(move |task| tracker.spawn(task))
                .build(move |claimed| run_job(engine.clone(), claimed))
        });
    }
    let stopping = engine.stop.clone();
    let stop = engine.stop.clone();
    let fetchers = engine.fetchers.clone();
    let signal = async move {
        stop.cancelled().await;
        fetchers.close();
        fetchers.wait().await;
        Ok(())
    };
    let ended = monitor.should_restart(move |_, _| !stopping.is_cancelled()).run_with_signal(signal).await;
    if let Err(error) = ended {
        tracing::error!(error = %error, "the lanes ended");
    }
}

async fn run_job(engine: Arc<Engine>, claimed: crate::backend::Claimed) -> Result<(), BoxDynError> {
    // In a place of its own: the layers around it move what they are given, some of them more than once.
    Box::pin(attempt::run(engine, claimed)).await;
    Ok(())
}
