//! Picks an adapter for every port from the URL schemes of the settings. An unknown scheme, or one that this build
//! cannot serve, stops the start with a clear message: there is no silent default.

mod lock;
mod resolve;

pub use lock::{DataLock, Holder};
pub use resolve::{OpenError, Opened, open};
