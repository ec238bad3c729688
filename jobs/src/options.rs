//! What is configured for the work.

use chat_core::{Limits, text::ChunkOptions};
use std::time::Duration;

/// Limits and defaults of turns and documents; see `.env.example` for the settings behind them.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How many passages a turn gives to the model, unless the caller says otherwise.
    pub top_k: u32,
    /// How many tokens of earlier turns a prompt holds.
    pub history_tokens: usize,
    /// The longest answer, in tokens, unless the caller says less.
    pub max_output_tokens: u32,
    /// Sampling temperature, unless the caller says otherwise.
    pub temperature: f32,
    /// The longest turn.
    pub turn_timeout: Duration,
    /// The longest wait for the model's first piece.
    pub first_token_timeout: Duration,
    /// The longest wait between two pieces.
    pub idle_timeout: Duration,
    /// How documents are cut.
    pub chunk: ChunkOptions,
    /// US dollars per million tokens read.
    pub input_price: Option<f64>,
    /// US dollars per million tokens written.
    pub output_price: Option<f64>,
    /// US dollars per million tokens embedded.
    pub embedding_price: Option<f64>,
    /// How much callers may ask for.
    pub limits: Limits,
    /// Whether index and files can be nobody else's: then what no row knows is removed.
    pub owns_stores: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            top_k: 6,
            history_tokens: 2_000,
            max_output_tokens: 2_000,
            temperature: 0.7,
            turn_timeout: Duration::from_mins(5),
            first_token_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_secs(30),
            chunk: ChunkOptions::default(),
            input_price: None,
            output_price: None,
            embedding_price: None,
            limits: Limits::default(),
            owns_stores: true,
        }
    }
}
