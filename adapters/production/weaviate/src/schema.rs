//! The collection and its vectors.

use crate::rest::Rest;
use chat_core::{PortError, PortResult};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};
use uuid::Uuid;

pub(crate) struct Schema {
    /// The collection's name.
    pub(crate) collection: String,
    /// Models whose vector is known to be there.
    known: Mutex<HashSet<String>>,
    /// One change of the schema at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Schema {
    pub(crate) fn new(collection: String) -> Self {
        Self { collection, known: Mutex::default(), changing: tokio::sync::Mutex::default() }
    }

    /// As `prepare`, but asks only once per model.
    pub(crate) async fn ensure(&self, rest: &Rest, model: &str) -> PortResult<()> {
        if self.lock().contains(model) {
            return Ok(());
        }
        self.prepare(rest, model).await.map(drop)
    }

    /// Forgets what is known: the server does not agree any more.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    /// Makes what is missing. Whether anything was.
    pub(crate) async fn prepare(&self, rest: &Rest, model: &str) -> PortResult<bool> {
        let _one = self.changing.lock().await;
        let mut changed = false;
        // Another process may change it at the same time: then its change is looked at, and ours made again.
        for _ in 0..5 {
            let Some(mut found) = self.read(rest).await? else {
                changed |=
                    rest.ask(Method::POST, "/schema", Some(&self.collection_with(model))).await.is_ok();
                continue;
            };
            let name = vector_name(model);
            if found["vectorConfig"].get(&name).is_some() {
                self.lock().insert(model.to_owned());
                return Ok(changed);
            }
            found["vectorConfig"][&name] = vector();
            let path = format!("/schema/{}", self.collection);
            changed |= rest.ask(Method::PUT, &path, Some(&found)).await.inspect_err(log).is_ok();
        }
        Err(PortError::unavailable("the index's collection could not be made"))
    }

    async fn read(&self, rest: &Rest) -> PortResult<Option<Value>> {
        rest.ask(Method::GET, &format!("/schema/{}", self.collection), None).await
    }

    /// The names of all shards; none if there is no collection yet.
    pub(crate) async fn shards(&self, rest: &Rest) -> PortResult<Vec<String>> {
        let found = rest.ask(Method::GET, &format!("/schema/{}/tenants", self.collection), None).await?;
        let shards = found.as_ref().and_then(Value::as_array).into_iter().flatten();
        Ok(shards.filter_map(|shard| shard["name"].as_str().map(str::to_owned)).collect())
    }

    fn collection_with(&self, model: &str) -> Value {
        let id = |name: &str| {
            json!({ "name": name, "dataType": ["text"], "tokenization": "field",
                    "indexFilterable": true, "indexSearchable": false })
        };
        let vectors = Map::from_iter([(vector_name(model), vector())]);
        json!({
            "class": self.collection,
            "description": "Passages of documents",
            "multiTenancyConfig": { "enabled": true, "autoTenantCreation": true, "autoTenantActivation": true },
            // Words are all that counts, however common they are: a question may be nothing but them.
            "invertedIndexConfig": { "bm25": { "k1": 1.2, "b": 0.75 }, "stopwords": { "preset": "none" } },
            "properties": [
                { "name": "keywords", "dataType": ["text"], "tokenization": "whitespace",
                  "indexFilterable": false, "indexSearchable": true },
                id("version"), id("document"), id("collection"), id("model"),
            ],
            "vectorConfig": vectors,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log(error: &PortError) {
    tracing::warn!(%error, source = error.cause(), "the index's schema was not changed");
}

/// A vector that is made elsewhere. Rotational quantisation: a quarter of the memory
/// (<https://docs.weaviate.io/weaviate/concepts/vector-quantization>). A byte for each dimension is near enough to order
/// candidates: to compare them by their full vectors reads each of them once more.
fn vector() -> Value {
    json!({
        "vectorizer": { "none": {} },
        "vectorIndexType": "hnsw",
        "vectorIndexConfig": { "distance": "cosine", "rq": { "enabled": true, "bits": 8, "rescoreLimit": 0 } },
    })
}

/// The name of a model's vector: letters, digits and `_`. Names that look alike stay apart.
pub(crate) fn vector_name(model: &str) -> String {
    let plain: String =
        model.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(40).collect();
    let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, model.as_bytes()).simple().to_string();
    format!("m_{plain}_{}", &hash[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_has_a_vector_of_its_own() {
        let [a, b] = ["text-embedding-3-small", "text_embedding_3_small"].map(vector_name);
        assert_ne!(a, b);
        for model in ["bge-m3", "模型/大", "", &"x".repeat(500)] {
            let name = vector_name(model);
            assert!(
                name.len() < 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'),
                "{name}"
            );
        }
    }
}
