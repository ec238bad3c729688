//! Reads of keys.

use super::{from_json, page_of};
use crate::{PostgresStore, error::port_error};
use async_trait::async_trait;
use chat_core::{
    ApiKey, KeyId, Page, PageRequest, PortError, PortResult, Tenant, Timestamp, ports::KeyStore,
};
use uuid::Uuid;

struct KeyRow {
    id: Uuid,
    tenant: String,
    name: String,
    scopes: String,
    hash: String,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
}

/// Keys; the rest of the statement follows `WHERE`.
macro_rules! keys {
    ($first:literal $(+ $rest:literal)* $(, $argument:expr)*) => {
        sqlx::query_as!(
            KeyRow,
            "SELECT id, tenant, name, scopes, hash, created_at, expires_at, revoked_at FROM api_keys WHERE " + $first $(+ $rest)*
            $(, $argument)*
        )
    };
}

#[async_trait]
impl KeyStore for PostgresStore {
    async fn api_key(&self, id: KeyId) -> PortResult<ApiKey> {
        let row = keys!("id = $1", id.0).fetch_optional(self.pool()).await.map_err(port_error)?;
        row.map(ApiKey::from).ok_or_else(|| PortError::not_found(id))
    }

    async fn api_keys(&self, tenant: Option<&Tenant>, request: PageRequest) -> PortResult<Page<ApiKey>> {
        let tenant = tenant.map(Tenant::as_str);
        let rows = page_of!(
            self,
            request,
            keys,
            "id > $1 AND id < $2 AND ($4::text IS NULL OR tenant = $4)",
            tenant
        )?;
        Ok(Page::of(rows.into_iter().map(ApiKey::from).collect(), request.limit))
    }
}

impl From<KeyRow> for ApiKey {
    fn from(row: KeyRow) -> Self {
        Self {
            id: KeyId(row.id),
            tenant: Tenant(row.tenant.into()),
            name: row.name,
            scopes: from_json(Some(&row.scopes)).unwrap_or_default(),
            hash: row.hash,
            created_at: Timestamp(row.created_at),
            expires_at: row.expires_at.map(Timestamp),
            revoked_at: row.revoked_at.map(Timestamp),
        }
    }
}
