//! The tables. A space is what one tenant has under one embedding model: it is loaded and searched by itself, so that
//! nobody's words count in another's BM25 and nobody's passages slow another's search.

use super::loaded::SpaceName;
use chat_core::{PortError, PortResult, Tenant, VersionId};
use sqlx::Connection;
use sqlx_sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use std::{path::Path, time::Duration};
use uuid::Uuid;

/// `AUTOINCREMENT`: the number of a space that went never names another one.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS spaces (
    space INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    model TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    UNIQUE (tenant, model)
) STRICT;
CREATE TABLE IF NOT EXISTS points (
    row INTEGER PRIMARY KEY,
    space INTEGER NOT NULL REFERENCES spaces (space),
    id BLOB NOT NULL,
    version BLOB NOT NULL,
    document BLOB NOT NULL,
    collection BLOB NOT NULL,
    vector BLOB NOT NULL,
    terms BLOB NOT NULL,
    UNIQUE (space, id)
) STRICT;
CREATE INDEX IF NOT EXISTS points_version ON points (version, space);
CREATE INDEX IF NOT EXISTS points_document ON points (document, space);
";

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READERS: u32 = 2;

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL would lose the last commits in a power cut: an upsert is durable when it returns.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("journal_size_limit", "67108864")
        .pragma("temp_store", "memory")
}

pub(super) async fn open_writer(path: &Path) -> sqlx::Result<SqliteConnection> {
    let mut writer = SqliteConnection::connect_with(&options(path)).await?;
    sqlx::raw_sql(TABLES).execute(&mut writer).await?;
    Ok(writer)
}

/// A few connections, opened when first needed.
pub(super) fn readers(path: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options(path).read_only(true))
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Space {
    pub(super) number: i64,
    pub(super) dimension: usize,
}

impl Space {
    /// `Invalid` if vectors of this dimension cannot be compared with those of the space.
    pub(super) fn check(self, dimension: usize) -> PortResult<()> {
        if dimension == self.dimension {
            return Ok(());
        }
        let known = self.dimension;
        Err(PortError::invalid(format!(
            "a vector has {dimension} dimensions where the model's others have {known}"
        )))
    }
}

pub(super) async fn space(db: &mut SqliteConnection, name: &SpaceName) -> sqlx::Result<Option<Space>> {
    let found: Option<(i64, i64)> =
        sqlx::query_as("SELECT space, dimension FROM spaces WHERE tenant = ? AND model = ?")
            .bind(name.tenant.as_str())
            .bind(&*name.model)
            .fetch_optional(db)
            .await?;
    Ok(found.map(|(number, dimension)| Space { number, dimension: dimension as usize }))
}

pub(super) async fn space_or_new(
    db: &mut SqliteConnection,
    name: &SpaceName,
    dimension: usize,
) -> sqlx::Result<Space> {
    if let Some(known) = space(db, name).await? {
        return Ok(known);
    }
    let number: i64 =
        sqlx::query_scalar("INSERT INTO spaces (tenant, model, dimension) VALUES (?, ?, ?) RETURNING space")
            .bind(name.tenant.as_str())
            .bind(&*name.model)
            .bind(dimension as i64)
            .fetch_one(db)
            .await?;
    Ok(Space { number, dimension })
}

/// The spaces of a tenant.
pub(super) async fn spaces(db: &mut SqliteConnection, tenant: &Tenant) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar("SELECT space FROM spaces WHERE tenant = ?").bind(tenant.as_str()).fetch_all(db).await
}

/// Removes a space that holds nothing any more: a tenant that left leaves nothing behind.
pub(super) async fn drop_if_empty(db: &mut SqliteConnection, space: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM spaces WHERE space = ?1 AND NOT EXISTS (SELECT 1 FROM points WHERE space = ?1)")
        .bind(space)
        .execute(db)
        .await
        .map(drop)
}

/// Some tenant's space of a model.
pub(super) async fn space_of(
    db: &mut SqliteConnection,
    model: &str,
) -> sqlx::Result<Option<(SpaceName, i64)>> {
    let found: Option<(String, i64)> =
        sqlx::query_as("SELECT tenant, space FROM spaces WHERE model = ? LIMIT 1")
            .bind(model)
            .fetch_optional(db)
            .await?;
    let name = |tenant: String| SpaceName { tenant: tenant.as_str().into(), model: model.into() };
    Ok(found.map(|(tenant, space)| (name(tenant), space)))
}

/// Some versions that the spaces hold, after one of them, each with its tenant.
pub(super) async fn held(
    readers: &SqlitePool,
    after: &(VersionId, String),
    limit: u32,
) -> sqlx::Result<Vec<(VersionId, String)>> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT DISTINCT p.version, s.tenant FROM points p JOIN spaces s USING (space)
         WHERE (p.version, s.tenant) > (?, ?) ORDER BY p.version, s.tenant LIMIT ?",
    )
    .bind(after.0.0)
    .bind(&after.1)
    .bind(limit)
    .fetch_all(readers)
    .await?;
    Ok(rows.into_iter().map(|(version, tenant)| (VersionId(version), tenant)).collect())
}

pub(super) async fn count_of(
    readers: &SqlitePool,
    tenant: &Tenant,
    model: &str,
    version: VersionId,
) -> sqlx::Result<u64> {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM points WHERE version = ? AND space = (SELECT space FROM spaces WHERE tenant = ? AND model = ?)",
    )
    .bind(&version.0.as_bytes()[..])
    .bind(tenant.as_str())
    .bind(model)
    .fetch_one(readers)
    .await?;
    Ok(count as u64)
}

pub(super) async fn count(readers: &SqlitePool, tenant: &Tenant, version: VersionId) -> sqlx::Result<u64> {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM points WHERE version = ? AND space IN (SELECT space FROM spaces WHERE tenant = ?)",
    )
    .bind(&version.0.as_bytes()[..])
    .bind(tenant.as_str())
    .fetch_one(readers)
    .await?;
    Ok(count as u64)
}
