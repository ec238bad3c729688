//! Text: words, tokens, passages.

/// How text is cut into passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkOptions {
    /// The longest passage, in tokens.
    pub max_tokens: usize,
    /// How much of a passage the next one repeats, in tokens.
    pub overlap_tokens: usize,
}

impl Default for ChunkOptions {
    fn default() -> Self {
        Self { max_tokens: 512, overlap_tokens: 64 }
    }
}
