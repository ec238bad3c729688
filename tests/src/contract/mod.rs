//! One suite per port: every adapter passes it.

mod answers;
pub mod blobs;
pub mod bus;
pub mod cache;
pub mod documents;
pub mod index;
pub mod jobs;
pub mod lanes;
pub mod limiter;
pub mod memo;
pub mod models;
pub mod pauses;
pub mod replicas;
mod retries;
pub mod rows;
pub mod tenants;
pub mod turns;
pub mod usage;
pub mod words;
