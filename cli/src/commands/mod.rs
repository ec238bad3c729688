//! One file per command.

pub mod api;
pub mod ask;
pub mod bench;
pub mod config;
pub mod ingest;
pub mod init;
pub mod jobs;
pub mod keys;
pub mod lanes;
pub mod maintain;
pub mod migrate;
mod paused;
mod serving;
mod shared;
pub mod up;
pub mod usage;
pub mod worker;
pub mod workers;
