//! A deterministic embedder and an extractive answerer: the system works, and says so, without any model.

mod answer;
mod coverage;
mod embedder;
mod features;
mod language;
mod llm;
mod pieces;
mod rewrite;
mod sentences;
mod summarise;
mod words;

pub use embedder::OfflineEmbedder;
pub use llm::OfflineLlm;
