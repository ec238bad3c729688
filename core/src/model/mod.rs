//! What the system is about: plain values, shared by every layer.

mod chat;
mod document;
mod embedding;
mod engine;
mod event;
mod job;
mod key;
mod outcome;
mod page;
mod trace;
mod usage;

pub use chat::*;
pub use document::*;
pub use embedding::*;
pub use engine::*;
pub use event::*;
pub use job::*;
pub use key::*;
pub use outcome::*;
pub use page::*;
pub use trace::*;
pub use usage::*;
