//! Reads of keys.

use super::{from_json, page};
use crate::sqlite::{SqliteStore, error::port_error};
use async_trait::async_trait;
use chat_core::{
    ApiKey, KeyId, Page, PageRequest, PortError, PortResult, Tenant, Timestamp, ports::KeyStore,
};
use sqlx::{QueryBuilder, Row};
use sqlx_sqlite::{Sqlite, SqliteRow};
use uuid::Uuid;

const COLUMNS: &str =
    "SELECT id, tenant, name, scopes, hash, created_at, expires_at, revoked_at FROM api_keys";

#[async_trait]
impl KeyStore for SqliteStore {
    async fn api_key(&self, id: KeyId) -> PortResult<ApiKey> {
        let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
        query.push(" WHERE id = ").push_bind(id.0);
        let row = query.build().fetch_optional(self.readers()).await.map_err(port_error)?;
        row.as_ref().map(key).ok_or_else(|| PortError::not_found(id))
    }

    async fn api_keys(&self, tenant: Option<&Tenant>, request: PageRequest) -> PortResult<Page<ApiKey>> {
        let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
        query.push(" WHERE true");
        if let Some(tenant) = tenant {
            query.push(" AND tenant = ").push_bind(tenant.as_str().to_owned());
        }
        page(&mut query, "id", request);
        let rows = query.build().fetch_all(self.readers()).await.map_err(port_error)?;
        Ok(Page::of(rows.iter().map(key).collect(), request.limit))
    }
}

fn key(row: &SqliteRow) -> ApiKey {
    ApiKey {
        id: KeyId(row.get::<Uuid, _>("id")),
        tenant: Tenant::from(row.get::<&str, _>("tenant")),
        name: row.get("name"),
        scopes: from_json(row.get("scopes")).unwrap_or_default(),
        hash: row.get("hash"),
        created_at: Timestamp(row.get("created_at")),
        expires_at: row.get::<Option<i64>, _>("expires_at").map(Timestamp),
        revoked_at: row.get::<Option<i64>, _>("revoked_at").map(Timestamp),
    }
}
