//! The real router over the embedded ports. No worker runs: what work would write is written by the tests.
#![allow(clippy::unwrap_used, missing_docs)]

mod app;
mod bad_bodies;
mod bad_uploads;
mod browsers;
mod callers;
mod collections;
mod documents;
mod embeddings;
mod feeds;
mod form;
mod idempotency;
mod jobs;
mod limits;
mod messages;
mod operators;
mod outages;
mod responses;
mod service;
mod serving;
mod sessions;
mod sockets;
mod speaker;
mod streams;
mod uploads;
mod usage;
