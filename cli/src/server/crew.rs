//! Who works in a server.

use super::options;
use chat_config::Settings;
use chat_core::{Lane, ports::Ports};
use chat_jobs::{Options, registry, schedules};
use chat_worker::{Engine, Worker, WorkerOptions};
use std::sync::Arc;

/// The workers of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Crew {
    /// Nobody: looking at jobs must not run them.
    Nobody,
    /// One engine for one lane, no schedules.
    Lane(Lane),
    /// One engine for every lane, no schedules: for a command that ends soon.
    Once,
    /// So many engines for every lane, with schedules.
    Engines(usize),
    /// One engine for some of the lanes, with schedules.
    Lanes(Vec<Lane>),
}

impl Crew {
    /// Starts them.
    pub(super) async fn start(self, settings: &Settings, ports: &Ports, work: &Arc<Options>) -> Vec<Worker> {
        let mut all = options::worker(settings);
        let (engines, schedules) = match self {
            Self::Nobody => (0, Vec::new()),
            Self::Lane(lane) => {
                all.lanes.retain(|(known, _)| *known == lane);
                (1, Vec::new())
            }
            Self::Once => (1, Vec::new()),
            Self::Engines(number) => (number, schedules()),
            Self::Lanes(lanes) => {
                all.lanes.retain(|(known, _)| lanes.contains(known));
                (1, schedules())
            }
        };
        let mut workers = Vec::with_capacity(engines);
        for _ in 0..engines {
            let (options, ports): (WorkerOptions, _) = (all.clone(), ports.clone());
            let engine = Engine::new(ports, registry(), schedules.clone(), work.clone(), options);
            workers.push(Worker::start(engine).await);
        }
        workers
    }
}
