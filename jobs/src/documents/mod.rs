//! What the kinds that take documents in and remove them have in common.

mod blob_key;
mod embedding;
mod ending;
mod removal;
mod renewal;

pub use blob_key::{tenant_segment, text_blob, upload_blob};
pub(crate) use embedding::{embed_range, embed_texts, embed_under, spent};
pub(crate) use ending::{answering, current, end_version};
pub(crate) use removal::{Removal, forget_document, is_busy, remove_document};
pub(crate) use renewal::renew;
