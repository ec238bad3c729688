//! Runs jobs. One apalis worker per lane takes ids from its lane, claims their rows and runs their handlers; beside
//! them a relay wakes jobs whose time has come, a reaper frees the jobs of workers that are gone, a clock enqueues what
//! is scheduled, and a listener passes cancel requests on.

mod attempt;
mod backend;
mod control;
mod cron;
mod engine;
mod finish;
mod lease;
mod names;
mod relay;
mod running;
mod worker;

pub use engine::{Engine, WorkerOptions};
pub use worker::Worker;
