//! One file per command.

pub mod ask;
pub mod bench;
pub mod config;
pub mod ingest;
pub mod init;
pub mod jobs;
pub mod maintain;
pub mod migrate;
pub mod up;
