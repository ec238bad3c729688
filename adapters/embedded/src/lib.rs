//! Every port with nothing to install: rows and index in SQLite, lanes, bus, cache and counters in process, files on disk.

mod blobs;
mod bus;
mod cache;
mod clock;
mod index;
mod lanes;
mod limiter;
mod sqlite;

pub use blobs::FileBlobs;
pub use bus::MemoryBus;
pub use cache::MemoryCache;
pub use clock::SystemClock;
pub use index::EmbeddedIndex;
pub use lanes::MemoryLanes;
pub use limiter::MemoryLimiter;
pub use sqlite::{SqliteOptions, SqliteStore, Synchronous};
