//! URL schemes to adapters: the one place that knows them all.

use crate::lock::{DataLock, Holder};
use chat_config::{
    DatabaseUrl, Embedding, Index as IndexSetting, Llm as LlmSetting, ModelProvider, RedisUrl, Secret,
    Settings, Storage, Url,
};
use chat_core::{
    PortError,
    ports::{Blobs, Bus, Cache, Clock, Embedder, Index, Lanes, Llm, Parser, Ports, Store},
};
use chat_embedded::{
    EmbeddedIndex, FileBlobs, MemoryBus, MemoryCache, MemoryLanes, SqliteOptions, SqliteStore, SystemClock,
};
use chat_offline::{OfflineEmbedder, OfflineLlm};
use chat_openai::{OpenAiEmbedder, OpenAiLlm, OpenAiServer};
use chat_parse::MediaParser;
use std::{path::Path, sync::Arc};

/// Why a process cannot start on these settings.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the data folder.
    #[error("the data folder {folder} is in use by another process{}", holder.as_ref().map(|h| format!(" (pid {})", h.pid)).unwrap_or_default())]
    InUse {
        /// The folder.
        folder: String,
        /// Who has it.
        holder: Option<Holder>,
    },
    /// The data folder cannot be used.
    #[error("the data folder {folder} cannot be used: {source}")]
    Folder {
        /// The folder.
        folder: String,
        /// Why.
        source: std::io::Error,
    },
    /// This build has no adapter for a setting's scheme.
    #[error("{setting} names {scheme}, which this build cannot serve: leave it out to use the embedded part")]
    NotServed {
        /// The setting.
        setting: &'static str,
        /// The scheme.
        scheme: &'static str,
    },
    /// A part could not be opened.
    #[error("{part} cannot be opened: {source}")]
    Part {
        /// Which.
        part: &'static str,
        /// Why.
        source: PortError,
    },
}

/// Every port, open.
pub struct Opened {
    /// The ports.
    pub ports: Ports,
    /// The data folder's lock, if anything that only one process may open is in there.
    pub lock: Option<DataLock>,
    store: Arc<SqliteStore>,
}

impl Opened {
    /// Waits for the writes under way and closes the files.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// Opens an adapter for every port.
pub async fn open(settings: &Settings) -> Result<Opened, OpenError> {
    let lock = if keeps_own_files(settings) { Some(lock(&settings.data_dir)?) } else { None };
    let store = store(&settings.database.url).await?;
    let (lanes, bus, cache) = messaging(&settings.redis.url)?;
    let ports = Ports {
        store: store.clone() as Arc<dyn Store>,
        lanes,
        bus,
        cache,
        blobs: blobs(&settings.storage)?,
        index: index(&settings.index, &settings.data_dir).await?,
        llm: llm(&settings.llm)?,
        embedder: embedder(&settings.embedding)?,
        parser: Arc::new(MediaParser::default()) as Arc<dyn Parser>,
        clock: Arc::new(SystemClock) as Arc<dyn Clock>,
    };
    Ok(Opened { ports, lock, store })
}

/// Database files and the embedded index belong to one process at a time; uploaded files can be shared.
fn keeps_own_files(settings: &Settings) -> bool {
    matches!(settings.database.url, DatabaseUrl::Sqlite { .. })
        || matches!(settings.index, IndexSetting::Embedded)
}

fn lock(folder: &Path) -> Result<DataLock, OpenError> {
    let shown = || folder.display().to_string();
    let failed = |source| OpenError::Folder { folder: shown(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    DataLock::take(folder).map_err(failed)?.map_err(|holder| OpenError::InUse { folder: shown(), holder })
}

async fn store(url: &DatabaseUrl) -> Result<Arc<SqliteStore>, OpenError> {
    match url {
        DatabaseUrl::Sqlite { path } => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)
                    .map_err(|source| OpenError::Folder { folder: folder.display().to_string(), source })?;
            }
            SqliteStore::open(SqliteOptions::new(path)).await.map(Arc::new).map_err(part("the database"))
        }
        DatabaseUrl::Postgres(_) => {
            Err(OpenError::NotServed { setting: "DATABASE_URL", scheme: "postgresql:" })
        }
    }
}

type Messaging = (Arc<dyn Lanes>, Arc<dyn Bus>, Arc<dyn Cache>);

fn messaging(url: &RedisUrl) -> Result<Messaging, OpenError> {
    let scheme = match url {
        RedisUrl::Memory => {
            return Ok((
                Arc::new(MemoryLanes::new()),
                Arc::new(MemoryBus::new()),
                Arc::new(MemoryCache::new()),
            ));
        }
        RedisUrl::Single(_) => "redis:",
        RedisUrl::Cluster(_) => "redis-cluster:",
        RedisUrl::Sentinel(_) => "redis-sentinel:",
    };
    Err(OpenError::NotServed { setting: "REDIS_URL", scheme })
}

fn blobs(storage: &Storage) -> Result<Arc<dyn Blobs>, OpenError> {
    match storage {
        Storage::File { path } => Ok(Arc::new(FileBlobs::open(path).map_err(part("the file store"))?)),
        Storage::S3(_) => Err(OpenError::NotServed { setting: "STORAGE_PROVIDER", scheme: "s3:" }),
    }
}

async fn index(setting: &IndexSetting, folder: &Path) -> Result<Arc<dyn Index>, OpenError> {
    match setting {
        IndexSetting::Embedded => {
            let index = EmbeddedIndex::open(folder.join("index.db")).await.map_err(part("the index"))?;
            Ok(Arc::new(index))
        }
        IndexSetting::Weaviate { .. } => {
            Err(OpenError::NotServed { setting: "WEAVIATE_URL", scheme: "weaviate+http:" })
        }
    }
}

fn llm(setting: &LlmSetting) -> Result<Arc<dyn Llm>, OpenError> {
    match &setting.provider {
        ModelProvider::Offline => Ok(Arc::new(OfflineLlm::new())),
        ModelProvider::OpenAi { base_url, api_key } => {
            let llm = OpenAiLlm::new(&server(base_url, api_key.as_ref()), &setting.model);
            Ok(Arc::new(llm.map_err(part("the language model"))?))
        }
    }
}

fn embedder(setting: &Embedding) -> Result<Arc<dyn Embedder>, OpenError> {
    match &setting.provider {
        ModelProvider::Offline => Ok(Arc::new(OfflineEmbedder::new())),
        ModelProvider::OpenAi { base_url, api_key } => {
            let embedder = OpenAiEmbedder::new(&server(base_url, api_key.as_ref()), &setting.model)
                .map_err(part("the embedding model"))?;
            Ok(match setting.dimensions {
                Some(dimensions) => Arc::new(embedder.with_dimensions(dimensions)),
                None => Arc::new(embedder),
            })
        }
    }
}

fn server(base_url: &Url, api_key: Option<&Secret>) -> OpenAiServer {
    let server = OpenAiServer::new(base_url.expose());
    match api_key {
        Some(key) => server.with_api_key(key.expose()),
        None => server,
    }
}

fn part(part: &'static str) -> impl Fn(PortError) -> OpenError {
    move |source| OpenError::Part { part, source }
}
