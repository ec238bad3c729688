//! Domain types, ports and text. No I/O: nothing here knows HTTP, SQL, Redis or apalis.

mod blob_key;
mod change;
mod dispatch;
mod error;
mod fair;
pub mod fusion;
mod id;
mod limit;
pub mod memo;
mod model;
pub mod ports;
pub mod text;
mod time;

pub use blob_key::*;
pub use change::*;
pub use dispatch::*;
pub use error::*;
pub use fair::*;
pub use id::*;
pub use limit::*;
pub use model::*;
pub use time::*;
