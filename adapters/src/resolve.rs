//! Opening every port.

use crate::{
    lock::{DataLock, Holder},
    parts,
    rows::Rows,
};
use chat_config::{DatabaseUrl, Index, Settings, Storage};
use chat_core::{
    PortError,
    ports::{Clock, Parser, Ports},
};
use chat_embedded::SystemClock;
use chat_parse::MediaParser;
use chat_redis::RedisPorts;
use futures::future::BoxFuture;
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
    /// What is measured of the engines.
    pub vitals: Vitals,
}

/// What is measured of engines outside this process.
#[derive(Clone)]
pub struct Vitals {
    rows: Rows,
    redis: Option<Arc<RedisPorts>>,
}

/// How many connections to the database there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Open.
    pub size: u32,
    /// In use.
    pub checked_out: u32,
}

impl Opened {
    /// Opens connections ahead of their use, for a process that will have many callers as soon as it is ready.
    pub fn warm(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.vitals.rows.warm())
    }

    /// Waits for the writes under way and closes files and connections.
    pub fn close(self) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.vitals.rows.close().await;
        })
    }
}

impl Vitals {
    /// The connections to the database, if it is outside this process.
    pub fn connections(&self) -> Option<Connections> {
        self.rows.connections()
    }

    /// What Redis uses, in bytes, if there is one that answers.
    pub fn redis_memory(&self) -> BoxFuture<'_, Option<u64>> {
        Box::pin(async move { self.redis.as_ref()?.memory_used().await })
    }
}

/// Opens an adapter for every port.
pub fn open(settings: &Settings) -> BoxFuture<'_, Result<Opened, OpenError>> {
    Box::pin(async move {
        let lock = if keeps_own_files(settings) { Some(lock(&settings.data_dir)?) } else { None };
        let rows = Rows::open(&settings.database).await?;
        let redis = parts::redis(&settings.redis).await?.map(Arc::new);
        let (lanes, bus, cache, limiter) = parts::messaging(redis.as_deref());
        let gate = parts::gate(&cache);
        let ports = Ports {
            store: rows.store(),
            lanes,
            bus,
            cache,
            limiter,
            blobs: parts::blobs(&settings.storage)?,
            index: parts::index(&settings.index, &settings.data_dir).await?,
            llm: parts::llm(&settings.llm, &gate)?,
            embedder: parts::embedder(&settings.embedding, &settings.llm, &gate)?,
            parser: Arc::new(MediaParser::default()) as Arc<dyn Parser>,
            clock: Arc::new(SystemClock) as Arc<dyn Clock>,
        };
        Ok(Opened { ports, lock, vitals: Vitals { rows, redis } })
    })
}

/// Database files, the embedded index and the folder of uploads belong to one process at a time: who opens it throws
/// away what is being written there.
fn keeps_own_files(settings: &Settings) -> bool {
    matches!(settings.database.url, DatabaseUrl::Sqlite { .. })
        || matches!(settings.index, Index::Embedded)
        || matches!(settings.storage, Storage::File { .. })
}

/// Whether there can be rows: nobody has begun with a database file that is not there.
pub fn has_rows(settings: &Settings) -> bool {
    match &settings.database.url {
        DatabaseUrl::Sqlite { path } => path.is_file(),
        DatabaseUrl::Postgres { .. } => true,
    }
}

fn lock(folder: &Path) -> Result<DataLock, OpenError> {
    let shown = || folder.display().to_string();
    let failed = |source| OpenError::Folder { folder: shown(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    DataLock::take(folder).map_err(failed)?.map_err(|holder| OpenError::InUse { folder: shown(), holder })
}

/// What a part's error means for the start.
pub(crate) fn part(part: &'static str) -> impl Fn(PortError) -> OpenError {
    move |source| OpenError::Part { part, source }
}
