//! What the system needs from outside, as traits. Their documentation is the contract:
//! an adapter's tests hold it to that, and a port with several adapters has one suite for all of them.

mod blobs;
mod bus;
mod cache;
mod clock;
mod index;
mod lanes;
mod limiter;
mod llm;
mod parser;
mod store;

pub use blobs::*;
pub use bus::*;
pub use cache::*;
pub use clock::*;
pub use index::*;
pub use lanes::*;
pub use limiter::*;
pub use llm::*;
pub use parser::*;
pub use store::*;

use crate::{Dispatcher, memo::Memo};
use std::sync::Arc;

/// All ports of a process.
#[derive(Clone)]
pub struct Ports {
    /// Rows.
    pub store: Arc<dyn Store>,
    /// Job ids on their way to workers.
    pub lanes: Arc<dyn Lanes>,
    /// Live events and control messages.
    pub bus: Arc<dyn Bus>,
    /// What can be computed again.
    pub cache: Arc<dyn Cache>,
    /// What callers use.
    pub limiter: Arc<dyn Limiter>,
    /// Files.
    pub blobs: Arc<dyn Blobs>,
    /// Passages and their vectors.
    pub index: Arc<dyn Index>,
    /// Completions.
    pub llm: Arc<dyn Llm>,
    /// Vectors.
    pub embedder: Arc<dyn Embedder>,
    /// Bytes to text.
    pub parser: Arc<dyn Parser>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl Ports {
    /// Reads rows through the cache.
    pub fn memo(&self) -> Memo<'_> {
        Memo::new(&*self.store, &*self.cache)
    }

    /// Commits writes and tells who waits for them.
    pub fn dispatcher(&self) -> Dispatcher {
        Dispatcher::new(self.store.clone(), self.lanes.clone(), self.bus.clone())
    }
}
