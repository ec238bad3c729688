//! The real program, as people and scripts run it.
#![allow(clippy::unwrap_used)]

mod ask;
mod config;
mod ingest;
mod jobs;
mod keys;
mod logs;
mod model;
mod program;
mod signals;
mod stores;
mod up;
mod wrong_use;
