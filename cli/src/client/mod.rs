//! Talks to a server over its HTTP interface, as any other program would.

mod collections;
mod documents;
mod error;
mod http;
mod jobs;
mod keys;
mod lanes;
mod list;
mod sse;
mod turns;
mod types;
mod usage;

pub use error::ClientError;
pub use http::Client;
pub use jobs::JobQuery;
pub use sse::{Event, Events};
pub use turns::Ask;
pub use types::{
    ApiKey, Collection, Document, Job, LaneState, Listed, Progress, Reference, Response, StoredDocument,
    UsageSum, Worker, WorkerLane,
};
