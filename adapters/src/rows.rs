//! The database.

use crate::resolve::{Connections, OpenError, part};
use chat_config::{Database, DatabaseUrl};
use chat_core::ports::Store;
use chat_embedded::{SqliteOptions, SqliteStore};
use chat_postgres::{PostgresOptions, PostgresStore};
use std::sync::Arc;

/// The store, and what is known of it besides its port.
#[derive(Clone)]
pub(crate) enum Rows {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl Rows {
    pub(crate) async fn open(setting: &Database) -> Result<Self, OpenError> {
        match &setting.url {
            DatabaseUrl::Sqlite { path } => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).map_err(|source| OpenError::Folder {
                        folder: folder.display().to_string(),
                        source,
                    })?;
                }
                let store =
                    SqliteStore::open(SqliteOptions::new(path)).await.map_err(part("the database"))?;
                Ok(Self::Sqlite(Arc::new(store)))
            }
            DatabaseUrl::Postgres(_) => {
                let store = PostgresStore::connect(postgres(setting)).await.map_err(part("the database"))?;
                Ok(Self::Postgres(Arc::new(store)))
            }
        }
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => store.clone(),
            Self::Postgres(store) => store.clone(),
        }
    }

    pub(crate) fn connections(&self) -> Option<Connections> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(store) => {
                let pool = store.pool_state();
                Some(Connections { size: pool.size, checked_out: pool.checked_out })
            }
        }
    }

    pub(crate) async fn warm(&self) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(store) => store.warm().await,
        }
    }

    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}

/// What the settings say of PostgreSQL.
pub(crate) fn postgres(setting: &Database) -> PostgresOptions {
    let url = match &setting.url {
        DatabaseUrl::Postgres(url) => url.expose(),
        DatabaseUrl::Sqlite { .. } => "",
    };
    let (pool_size, max_overflow) = (setting.pool_size, setting.max_overflow);
    PostgresOptions { pool_size, max_overflow, ..PostgresOptions::new(url) }
}
