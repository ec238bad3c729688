//! The work itself: one file per job kind, with its payload, policy (lane, retry, timeout) and handler together.
//! Nothing here knows HTTP, SQL, Redis or apalis: handlers use ports, and return what is to be written as values.

mod context;
mod done;
mod kind;
mod options;
mod registry;

pub use context::*;
pub use done::*;
pub use kind::*;
pub use options::*;
pub use registry::*;
