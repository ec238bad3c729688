//! Passages and their vectors: kept in one SQLite file, searched in memory. Vectors are compared exactly, words by
//! BM25.
//!
//! The full-text tables of SQLite (FTS5) were tried for the words. Its `bm25()` costs 4 to 20 µs for each matching
//! row, and nearly every row matches a question that has words like `the` or single Han characters: 250 ms over
//! 20,000 passages. Postings next to the vectors, which are in memory anyway, answer the same in under a millisecond.

mod bm25;
mod failure;
mod filter;
mod loaded;
mod nearest;
mod passages;
mod postings;
mod schema;
mod terms;
mod write;

use async_trait::async_trait;
use chat_core::{
    DocumentId, PortError, PortResult, Tenant, VersionId,
    ports::{Hit, Holding, Index, IndexQuery, Point},
};
use failure::failed;
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream, stream::BoxStream};
use loaded::{Loaded, SpaceName};
use passages::Passages;
use sqlx::Connection;
use sqlx_sqlite::{SqliteConnection, SqlitePool};
use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};
use tokio::sync::Mutex;
use uuid::Uuid;
use write::{Doomed, remove};

/// From how many passages on a search runs beside the async threads: below, it is shorter than the way there.
const SEARCH_HERE: usize = 4_000;
/// How many versions are listed at once.
const PAGE: u32 = 1_000;

/// A search index in one SQLite file. What a tenant has under a model is loaded into memory when it first searches.
#[derive(Debug, Clone)]
pub struct EmbeddedIndex {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Also held while passages are loaded, so that what is in memory never misses a write.
    writer: Mutex<SqliteConnection>,
    readers: SqlitePool,
    loaded: Loaded,
}

impl EmbeddedIndex {
    /// Opens the file, and makes it if need be.
    pub fn open(path: impl Into<PathBuf>) -> BoxFuture<'static, PortResult<Self>> {
        let path = path.into();
        Box::pin(async move {
            let writer = schema::open_writer(&path).await.map_err(failed)?;
            let readers = schema::readers(&path);
            Ok(Self {
                inner: Arc::new(Inner { writer: Mutex::new(writer), readers, loaded: Loaded::default() }),
            })
        })
    }

    async fn remove(&self, tenant: &Tenant, doomed: Doomed) -> PortResult<()> {
        let mut writer = self.inner.writer.lock().await;
        // Held until memory agrees with the file again, even if this call is dropped half-way.
        let unsettled = self.inner.loaded.unsettle(tenant);
        let mut tx = writer.begin().await.map_err(failed)?;
        remove(&mut tx, tenant, doomed).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        unsettled.settle(|passages| passages.remove(|row| doomed.is(row)));
        Ok(())
    }

    /// The passages of a tenant and model; `None` if it has none.
    async fn passages(&self, name: &SpaceName) -> PortResult<Option<Arc<RwLock<Passages>>>> {
        if let Some(known) = self.inner.loaded.get(name) {
            return Ok(Some(known));
        }
        let mut writer = self.inner.writer.lock().await;
        if let Some(known) = self.inner.loaded.get(name) {
            return Ok(Some(known)); // loaded while this waited
        }
        match schema::space(&mut writer, name).await.map_err(failed)? {
            Some(space) => {
                let passages = Passages::load(&mut writer, space).await.map_err(failed)?;
                Ok(Some(self.inner.loaded.put(name.clone(), passages)))
            }
            None => Ok(None),
        }
    }
}

/// A panic in a search leaves passages as they were: only writes change them, and those do not panic half-way.
fn read(passages: &RwLock<Passages>) -> RwLockReadGuard<'_, Passages> {
    passages.read().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Index for EmbeddedIndex {
    async fn upsert(&self, tenant: &Tenant, model: &str, points: Vec<Point>) -> PortResult<()> {
        if points.is_empty() {
            return Ok(());
        }
        let dimension = write::dimension(&points)?;
        let rows: Vec<write::NewRow> = points.into_iter().map(write::NewRow::from).collect();
        let name = SpaceName { tenant: tenant.clone(), model: model.into() };
        let mut writer = self.inner.writer.lock().await;
        let unsettled = self.inner.loaded.unsettle_space(&name);
        let mut tx = writer.begin().await.map_err(failed)?;
        let space = schema::space_or_new(&mut tx, &name, dimension).await.map_err(failed)?;
        space.check(dimension)?;
        write::upsert(&mut tx, space.number, &rows).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        unsettled
            .settle(|passages| rows.iter().for_each(|new| passages.put(new.row, &new.vector, &new.terms)));
        Ok(())
    }

    async fn search(&self, query: IndexQuery) -> PortResult<Vec<Hit>> {
        if query.limit == 0 || query.documents.as_ref().is_some_and(Vec::is_empty) {
            return Ok(vec![]);
        }
        let Some(passages) = self.passages(&SpaceName::of(&query)).await? else { return Ok(vec![]) };
        if read(&passages).len() <= SEARCH_HERE {
            return read(&passages).search(&query);
        }
        tokio::task::spawn_blocking(move || read(&passages).search(&query))
            .await
            .map_err(|error| PortError::internal("the search failed").with_source(error))?
    }

    async fn count(&self, tenant: &Tenant, version: VersionId) -> PortResult<u64> {
        schema::count(&self.inner.readers, tenant, version).await.map_err(failed)
    }

    async fn count_of(&self, tenant: &Tenant, model: &str, version: VersionId) -> PortResult<u64> {
        schema::count_of(&self.inner.readers, tenant, model, version).await.map_err(failed)
    }

    async fn drop_model(&self, model: &str) -> PortResult<u64> {
        let mut writer = self.inner.writer.lock().await;
        let Some((name, space)) = schema::space_of(&mut writer, model).await.map_err(failed)? else {
            return Ok(0);
        };
        // Memory forgets the space: nobody should search what is going, and what is left would be loaded anew.
        let _forgotten = self.inner.loaded.unsettle_space(&name);
        let mut tx = writer.begin().await.map_err(failed)?;
        let dropped = write::drop_some(&mut tx, space).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(dropped)
    }

    async fn delete_version(&self, tenant: &Tenant, version: VersionId) -> PortResult<()> {
        self.remove(tenant, Doomed::Version(version)).await
    }

    async fn delete_document(&self, tenant: &Tenant, document: DocumentId) -> PortResult<()> {
        self.remove(tenant, Doomed::Document(document)).await
    }

    fn holdings(&self) -> BoxStream<'_, PortResult<Holding>> {
        let first = (VersionId(Uuid::nil()), String::new());
        stream::try_unfold(first, async |after| {
            let held = schema::held(&self.inner.readers, &after, PAGE).await.map_err(failed)?;
            let Some(last) = held.last().cloned() else { return Ok(None) };
            let held = held.into_iter().map(|(version, place)| Ok(Holding { place, version }));
            PortResult::Ok(Some((stream::iter(held), last)))
        })
        .try_flatten()
        .boxed()
    }

    async fn discard(&self, holding: &Holding) -> PortResult<()> {
        self.remove(&holding.place.as_str().into(), Doomed::Version(holding.version)).await
    }

    async fn ping(&self) -> PortResult<()> {
        sqlx::query("SELECT 1").execute(&self.inner.readers).await.map(drop).map_err(failed)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)] // tests await their own tasks
mod tests;
