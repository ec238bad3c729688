//! Small, honest stand-ins for the ports: each does in memory what its contract says.

mod bus;
mod clock;
mod files;
mod index;
mod models;
mod rig;
mod store;
mod store_reads;

pub use bus::FakeBus;
pub use clock::{FakeClock, settle};
pub use files::{FakeBlobs, FakeCache, FakeLanes, FakeLimiter, FakeParser};
pub use index::FakeIndex;
pub use models::{FakeEmbedder, FakeLlm, Step, say};
pub use rig::{Rig, data, names, text_of};
pub use store::FakeStore;
