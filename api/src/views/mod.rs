//! What clients see: rows as JSON, in one place each.

mod chunk;
mod collection;
mod document;
mod job;
mod key;
mod lane;
mod message;
mod response;
mod search;
mod session;
mod usage;
mod worker;

pub use chunk::ChunkView;
pub use collection::CollectionView;
pub use document::{DocumentView, Documents};
pub use job::JobView;
pub use key::KeyView;
pub use lane::LaneView;
pub use message::MessageView;
pub use response::{FailureView, ReferenceView, ResponseView, TurnView};
pub use search::SearchView;
pub use session::SessionView;
pub use usage::UsageView;
pub use worker::WorkerView;
