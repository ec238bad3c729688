//! Vectors without a model: hashed words and parts of words.

use crate::features::{Feature, features};
use async_trait::async_trait;
use chat_core::{
    PortError, PortResult,
    ports::{Embedder, Embeddings},
};

/// The name says how vectors are made: a change of features, weights or hash needs another one.
const MODEL: &str = "offline-hash-512";
const DIMENSIONS: usize = 512;
/// Up to how many texts are embedded where the caller is: a question is done in less time than it takes to hand it
/// to another thread.
const FEW: usize = 2;

/// Embeds texts by counting their words. It knows no synonyms: it adds word parts to what keyword search sees, so its
/// weight in hybrid search is low.
#[derive(Debug, Clone, Copy, Default)]
pub struct OfflineEmbedder;

impl OfflineEmbedder {
    /// The embedder. It has no state.
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Embedder for OfflineEmbedder {
    fn model(&self) -> &str {
        MODEL
    }

    fn alpha(&self) -> f32 {
        0.4
    }

    fn max_batch(&self) -> usize {
        128
    }

    async fn embed(&self, texts: &[String]) -> PortResult<Embeddings> {
        let vectors = if texts.len() <= FEW {
            texts.iter().map(|text| vector(text)).collect()
        } else {
            let texts = texts.to_vec();
            tokio::task::spawn_blocking(move || texts.iter().map(|text| vector(text)).collect())
                .await
                .map_err(|error| PortError::internal("embedding failed").with_source(error))?
        };
        Ok(Embeddings { vectors, tokens: 0 })
    }
}

/// The vector of a text: of unit length, or all zero if the text has no words.
fn vector(text: &str) -> Vec<f32> {
    let mut features = features(&chat_core::text::keywords(text));
    features.sort_unstable_by_key(|(hash, _)| *hash);
    let mut vector = vec![0.0_f32; DIMENSIONS];
    for same in features.chunk_by(|a, b| a.0 == b.0) {
        let (hash, value) = weigh(same);
        let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
        vector[hash as usize % DIMENSIONS] += sign * value;
    }
    normalised(vector)
}

/// One feature with all its occurrences: the tenth counts less than the first.
fn weigh(same: &[Feature]) -> Feature {
    let (hash, weight) = same[0];
    (hash, weight * (1.0 + (same.len() as f32).ln()))
}

fn normalised(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        for value in &mut vector {
            *value /= length;
        }
    }
    vector
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn cosine(a: &str, b: &str) -> f32 {
        vector(a).iter().zip(vector(b)).map(|(x, y)| x * y).sum()
    }

    #[tokio::test]
    async fn one_unit_vector_per_text_in_order() {
        let texts: Vec<String> = ["Rust ownership", "所有权 借用", "", "threads"].map(str::to_owned).into();
        let embedded = OfflineEmbedder.embed(&texts).await.unwrap();
        assert_eq!(embedded.vectors.len(), 4);
        for (text, got) in texts.iter().zip(&embedded.vectors) {
            let length: f32 = got.iter().map(|value| value * value).sum();
            let expected = if text.is_empty() { 0.0 } else { 1.0 };
            assert!((length - expected).abs() < 1e-4, "{text}: {length}");
            assert_eq!(*got, vector(text));
        }
    }

    #[test]
    fn what_is_about_the_same_is_nearer() {
        let question = "How does borrowing work?";
        assert!(
            cosine(question, "A borrowed value has an owner") > cosine(question, "Print text to the screen")
        );
        assert!(cosine("什么是所有权", "所有权的规则") > cosine("什么是所有权", "并发的线程"));
        assert!(cosine("ownership", "owner") > 0.02);
        assert!(cosine("smart pointer", "a smart pointer") > cosine("smart pointer", "smart, a pointer"));
    }

    #[test]
    fn the_same_text_has_the_same_vector_wherever_it_is_made() {
        let sum: f32 = vector("Rust 的所有权").iter().enumerate().map(|(n, value)| n as f32 * value).sum();
        assert!((sum + 72.884_79).abs() < 0.01, "{sum}: stored vectors would no longer match");
    }
}
