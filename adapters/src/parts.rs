//! URL schemes to adapters: with `rows`, the place that knows them all.

use crate::{
    embedders::Embedders,
    redis_url::redis_options,
    resolve::{OpenError, part},
};
use chat_config::{
    Embedding, Index as IndexSetting, Llm as LlmSetting, ModelProvider, Redis, RedisUrl, S3, Secret, Storage,
    Url, Weaviate,
};
use chat_core::{
    ErrorKind,
    ports::{Blobs, Bus, Cache, Embedder, Index, Lanes, Limiter, Llm},
};
use chat_embedded::{
    EmbeddedIndex, FileBlobs, MemoryBus, MemoryCache, MemoryLanes, MemoryLimiter, SystemClock,
};
use chat_offline::{OfflineEmbedder, OfflineLlm};
use chat_openai::{Gate, OpenAiEmbedder, OpenAiLlm, OpenAiServer};
use chat_redis::RedisPorts;
use chat_s3::{S3Blobs, S3Options};
use chat_weaviate::{WeaviateIndex, WeaviateOptions};
use std::{path::Path, sync::Arc};

/// Redis, if the settings name one.
pub(crate) async fn redis(setting: &Redis) -> Result<Option<RedisPorts>, OpenError> {
    if setting.url == RedisUrl::Memory {
        return Ok(None);
    }
    let options = redis_options(setting).map_err(part("Redis"))?;
    RedisPorts::connect(&options).await.map(Some).map_err(part("Redis"))
}

type Messaging = (Arc<dyn Lanes>, Arc<dyn Bus>, Arc<dyn Cache>, Arc<dyn Limiter>);

/// What hands out jobs, carries events, keeps values and counts.
pub(crate) fn messaging(redis: Option<&RedisPorts>) -> Messaging {
    match redis {
        Some(redis) => (redis.lanes.clone(), redis.bus.clone(), redis.cache.clone(), redis.limiter.clone()),
        None => (
            Arc::new(MemoryLanes::new()),
            Arc::new(MemoryBus::new()),
            Arc::new(MemoryCache::new()),
            Arc::new(MemoryLimiter::new(Arc::new(SystemClock))),
        ),
    }
}

pub(crate) fn blobs(storage: &Storage) -> Result<Arc<dyn Blobs>, OpenError> {
    match storage {
        Storage::File { path } => Ok(Arc::new(FileBlobs::open(path).map_err(part("the file store"))?)),
        Storage::S3(s3) => Ok(Arc::new(bucket(s3))),
    }
}

/// The bucket of these settings.
pub(crate) fn bucket(s3: &S3) -> S3Blobs {
    S3Blobs::new(&S3Options {
        endpoint: s3.endpoint.expose().to_owned(),
        access_key: s3.access_key.expose().to_owned(),
        secret_key: s3.secret_key.expose().to_owned(),
        bucket: s3.bucket.clone(),
        region: s3.region.clone(),
        public_endpoint: s3.public_endpoint.as_ref().map(|url| url.expose().to_owned()),
    })
}

pub(crate) async fn index(setting: &IndexSetting, folder: &Path) -> Result<Arc<dyn Index>, OpenError> {
    match setting {
        IndexSetting::Embedded => {
            let index = EmbeddedIndex::open(folder.join("index.db")).await.map_err(part("the index"))?;
            Ok(Arc::new(index))
        }
        IndexSetting::Weaviate(setting) => {
            let index = weaviate(setting)?;
            match index.check().await {
                Err(error) if error.kind == ErrorKind::Unavailable => {
                    tracing::warn!(%error, "Weaviate does not answer: searches fail until it does");
                }
                checked => checked.map_err(part("the index"))?,
            }
            Ok(Arc::new(index))
        }
    }
}

/// The index of these settings; nothing is asked yet.
pub(crate) fn weaviate(setting: &Weaviate) -> Result<WeaviateIndex, OpenError> {
    let options = WeaviateOptions {
        url: setting.url.expose().to_owned(),
        grpc_port: setting.grpc_port,
        api_key: setting.api_key.as_ref().map(|key| key.expose().to_owned()),
        collection: setting.collection.clone(),
    };
    WeaviateIndex::new(&options).map_err(part("the index"))
}

/// Pauses that model servers ask for, known to all who share the cache.
pub(crate) fn gate(cache: &Arc<dyn Cache>) -> Arc<Gate> {
    Arc::new(Gate::new(cache.clone(), Arc::new(SystemClock)))
}

pub(crate) fn llm(setting: &LlmSetting, gate: &Arc<Gate>) -> Result<Arc<dyn Llm>, OpenError> {
    match &setting.provider {
        ModelProvider::Offline => Ok(Arc::new(OfflineLlm::new())),
        ModelProvider::OpenAi { base_url, api_key } => {
            let llm = OpenAiLlm::new(&server(base_url, api_key.as_ref(), gate), &setting.model);
            Ok(Arc::new(llm.map_err(part("the language model"))?))
        }
    }
}

/// The configured model; a server that answers only may still have the one before it.
pub(crate) fn embedder(
    setting: &Embedding,
    llm: &LlmSetting,
    gate: &Arc<Gate>,
) -> Result<Arc<dyn Embedder>, OpenError> {
    match &setting.provider {
        ModelProvider::Offline => {
            let server = match &llm.provider {
                ModelProvider::Offline => None,
                ModelProvider::OpenAi { base_url, api_key } => Some(server(base_url, api_key.as_ref(), gate)),
            };
            Ok(Arc::new(Embedders::new(Arc::new(OfflineEmbedder::new()), server)))
        }
        ModelProvider::OpenAi { base_url, api_key } => {
            let server = server(base_url, api_key.as_ref(), gate);
            let embedder =
                OpenAiEmbedder::new(&server, &setting.model).map_err(part("the embedding model"))?;
            let embedder = match setting.dimensions {
                Some(dimensions) => embedder.with_dimensions(dimensions),
                None => embedder,
            };
            Ok(Arc::new(Embedders::new(Arc::new(embedder), Some(server))))
        }
    }
}

fn server(base_url: &Url, api_key: Option<&Secret>, gate: &Arc<Gate>) -> OpenAiServer {
    let server = OpenAiServer::new(base_url.expose()).with_gate(gate.clone());
    match api_key {
        Some(key) => server.with_api_key(key.expose()),
        None => server,
    }
}
