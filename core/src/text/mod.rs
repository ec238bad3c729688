//! Text: words for keyword search, tokens, passages.

mod chunk;
mod heading;
mod keywords;
mod outline;
mod split;
mod table;
mod tokens;

pub use chunk::{Chunk, ChunkOptions, chunk};
pub use keywords::{fts_terms, keyword_text, keywords};
pub use tokens::{count_tokens, truncate_tokens};
