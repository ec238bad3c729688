//! Sizes in tokens of a text and of its parts, from one encoding.

use super::{
    split::window_bytes,
    tokens::{count_tokens, tokens_before},
};
use text_splitter::ChunkSizer;

/// How many tokens a section has.
pub(super) struct Size {
    /// Exact, unless the section is so long that it cannot fit anyway.
    pub(super) tokens: usize,
    /// The sizes of its parts, if it is likely to be divided.
    pub(super) table: Option<TokenTable>,
}

impl Size {
    /// What the text is too long for by its bytes alone is not counted: cutting it will.
    const TOO_LONG: usize = usize::MAX / 2;

    pub(super) fn of(text: &str, max: usize) -> Self {
        if text.len() > window_bytes(max) {
            return Self { tokens: Self::TOO_LONG, table: None };
        }
        // A token has a byte at least.
        if text.len() <= max {
            return Self { tokens: count_tokens(text), table: None };
        }
        let table = TokenTable::new(text);
        Self { tokens: table.before(text.len()), table: Some(table) }
    }

    /// The tokens of this and of what follows it; what stands between them is a token at most.
    pub(super) fn with(&self, more: usize) -> usize {
        self.tokens.saturating_add(more).saturating_add(1)
    }
}

/// Where the tokens of one text are.
pub(super) struct TokenTable {
    /// The text's address: text-splitter asks about slices of it and says no offsets.
    address: usize,
    before: Vec<u32>,
}

impl TokenTable {
    pub(super) fn new(text: &str) -> Self {
        Self { address: text.as_ptr().addr(), before: tokens_before(text) }
    }

    /// How many tokens begin before a byte.
    pub(super) fn before(&self, byte: usize) -> usize {
        self.before[byte] as usize
    }

    /// How many bytes hold at most `tokens` tokens.
    pub(super) fn place(&self, tokens: usize) -> usize {
        self.before.partition_point(|before| *before as usize <= tokens) - 1
    }

    /// Whether a text is a part of the table's.
    pub(super) fn covers(&self, part: &str) -> bool {
        self.tokens(part).is_some()
    }

    /// The tokens that lie in a part, a divided first one included.
    fn tokens(&self, part: &str) -> Option<usize> {
        let start = part.as_ptr().addr().checked_sub(self.address)?;
        let (first, last) = (*self.before.get(start)?, *self.before.get(start + part.len())?);
        let divided = !part.is_empty() && self.before[start + 1] == first;
        Some((last - first) as usize + usize::from(divided))
    }
}

impl ChunkSizer for TokenTable {
    fn size(&self, chunk: &str) -> usize {
        self.tokens(chunk).unwrap_or_else(|| count_tokens(chunk))
    }
}
