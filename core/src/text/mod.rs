//! Text: words for keyword search, tokens, passages.

mod chunk;
mod heading;
mod keys;
mod keywords;
mod letters;
mod outline;
mod rank;
mod spelling;
mod split;
mod table;
mod title;
mod tokens;

pub use chunk::{Chunk, ChunkOptions, chunk};
pub use keys::{PASSAGES_PER_ROW, word_key, word_keys};
pub use keywords::{fts_terms, keyword_text, keywords};
pub use rank::Ranking;
pub use spelling::{MOST_MENDED, alternatives, corrected, suspects};
pub use tokens::{count_tokens, truncate_tokens};
