//! The event stream of a response, as the run that holds its claim writes it.
//!
//! The work speaks through a [`Voice`]; the [`ResponseStream`] beside it numbers what was said, publishes it at once
//! and makes it durable in batches. Both are parts of one future: when the run is dropped, nothing goes on.

mod numbers;
mod pump;
mod start;
mod voice;

pub use numbers::{JUMP, Numbers, QUEUED};
pub use pump::{ResponseStream, Rest};
pub use start::Start;
pub use voice::Voice;

pub(crate) use start::restart_reason;
