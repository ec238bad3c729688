//! Picks an adapter for every port from the URL schemes of the settings. An unknown scheme stops the start with a clear
//! message: there is no silent default.

mod embedders;
mod lock;
mod parts;
mod prepare;
mod redis_url;
mod resolve;
mod rows;

pub use lock::{DataLock, Holder};
pub use prepare::{init, migrate};
pub use redis_url::redis_options;
pub use resolve::{Connections, OpenError, Opened, Vitals, has_rows, open};
