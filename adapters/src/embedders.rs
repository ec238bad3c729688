//! The configured embedding model, and others that can be called with the same settings: searches need the one before
//! until the configured one has taken its place.

use async_trait::async_trait;
use chat_core::{
    PortResult,
    ports::{Embedder, Embeddings},
};
use chat_offline::OfflineEmbedder;
use chat_openai::{OpenAiEmbedder, OpenAiServer};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The configured embedding model.
pub(crate) struct Embedders {
    configured: Arc<dyn Embedder>,
    /// The server that it is on, if it is on one.
    server: Option<OpenAiServer>,
    /// Others that were asked for: each keeps its connections.
    others: Mutex<HashMap<String, Arc<dyn Embedder>>>,
}

impl Embedders {
    pub(crate) fn new(configured: Arc<dyn Embedder>, server: Option<OpenAiServer>) -> Self {
        Self { configured, server, others: Mutex::default() }
    }

    fn make(&self, model: &str, dimensions: Option<u32>) -> Option<Arc<dyn Embedder>> {
        let offline = OfflineEmbedder::new();
        if model == offline.model() {
            return Some(Arc::new(offline));
        }
        let embedder = OpenAiEmbedder::new(self.server.as_ref()?, model).ok()?;
        Some(match dimensions {
            Some(dimensions) => Arc::new(embedder.with_dimensions(dimensions)),
            None => Arc::new(embedder),
        })
    }
}

#[async_trait]
impl Embedder for Embedders {
    fn model(&self) -> &str {
        self.configured.model()
    }

    fn dimensions(&self) -> Option<u32> {
        self.configured.dimensions()
    }

    fn named(&self, model: &str, dimensions: Option<u32>) -> Option<Arc<dyn Embedder>> {
        if model == self.model() {
            return Some(self.configured.clone());
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(model) {
            return Some(known.clone());
        }
        let made = self.make(model, dimensions)?;
        others.insert(model.to_owned(), made.clone());
        Some(made)
    }

    fn alpha(&self) -> f32 {
        self.configured.alpha()
    }

    fn max_batch(&self) -> usize {
        self.configured.max_batch()
    }

    async fn embed(&self, texts: &[String]) -> PortResult<Embeddings> {
        self.configured.embed(texts).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_offline_model_can_always_be_called_others_where_there_is_a_server() {
        let offline: Arc<dyn Embedder> = Arc::new(OfflineEmbedder::new());
        let name = offline.model().to_owned();
        let alone = Embedders::new(offline, None);
        assert_eq!(alone.named(&name, None).unwrap().model(), name);
        assert!(alone.named("text-embedding-3-small", None).is_none());
        let server = OpenAiServer::new("http://127.0.0.1:1/v1");
        let next: Arc<dyn Embedder> = Arc::new(OpenAiEmbedder::new(&server, "bge-m3").unwrap());
        let on_server = Embedders::new(next, Some(server));
        assert_eq!((on_server.model(), on_server.named(&name, None).unwrap().model()), ("bge-m3", &*name));
        let older = on_server.named("text-embedding-3-small", Some(256)).unwrap();
        assert_eq!((older.model(), older.dimensions()), ("text-embedding-3-small", Some(256)));
    }
}
