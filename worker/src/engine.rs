//! What the parts of a worker share.

use crate::running::Running;
use chat_core::{Dispatcher, Lane, WorkerId, ports::Ports};
use chat_jobs::{Options, Registry, Schedule};
use std::{sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The lanes that it takes jobs from, and how many at once.
    pub lanes: Vec<(Lane, usize)>,
    /// How often it says that it lives.
    pub heartbeat: Duration,
    /// How long it may be silent before its jobs are given to others.
    pub lease: Duration,
    /// How long a job may be handed out without being claimed.
    pub offer_again: Duration,
    /// How long a run that ends by itself may take to do so after a cancel request.
    pub cancel_grace: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            lanes: vec![
                (Lane::Chat, 1_024), // a turn mostly waits for its model
                (Lane::Ingest, cores),
                (Lane::Embed, cores.max(4)),
                (Lane::Maintenance, 1),
                (Lane::Default, 256),
            ],
            heartbeat: Duration::from_secs(3),
            lease: Duration::from_secs(12),
            offer_again: Duration::from_secs(5),
            cancel_grace: Duration::from_secs(5),
        }
    }
}

/// The shared state of one worker process.
pub struct Engine {
    pub(crate) id: WorkerId,
    pub(crate) ports: Ports,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) registry: Registry,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) job_options: Arc<Options>,
    pub(crate) options: WorkerOptions,
    /// Fires first: take no more jobs.
    pub(crate) stop: CancellationToken,
    /// Fires when the grace period is over: hand back what still runs.
    pub(crate) abandon: CancellationToken,
    /// Every task of this worker, so that a drain can wait for them.
    pub(crate) tracker: TaskTracker,
    /// Those of them that take jobs: lanes stop after they have handed over what they claimed.
    pub(crate) fetchers: TaskTracker,
    pub(crate) running: Running,
}

impl Engine {
    /// An engine over these ports that knows these kinds and schedules.
    pub fn new(
        ports: Ports,
        registry: Registry,
        schedules: Vec<Schedule>,
        job_options: Arc<Options>,
        options: WorkerOptions,
    ) -> Self {
        Self {
            id: WorkerId::new(),
            dispatcher: ports.dispatcher(),
            ports,
            registry,
            schedules,
            job_options,
            options,
            stop: CancellationToken::new(),
            abandon: CancellationToken::new(),
            tracker: TaskTracker::new(),
            fetchers: TaskTracker::new(),
            running: Running::default(),
        }
    }
}
