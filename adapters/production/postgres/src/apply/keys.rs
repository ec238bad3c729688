//! Writes of keys.

use super::{
    Tx,
    chat::{found, json},
    commit::Failed,
};
use chat_core::{ApiKey, KeyId, Tenant};

pub(super) async fn insert(tx: &mut Tx<'_>, key: &ApiKey) -> Result<(), Failed> {
    sqlx::query(
        "INSERT INTO api_keys (id, tenant, name, scopes, hash, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(key.id.0)
    .bind(key.tenant.as_str())
    .bind(&key.name)
    .bind(json(&key.scopes)?)
    .bind(&key.hash)
    .bind(key.created_at.0)
    .bind(key.expires_at.map(|at| at.0))
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

pub(super) async fn revoke(tx: &mut Tx<'_>, tenant: Option<&Tenant>, id: KeyId) -> Result<(), Failed> {
    let revoked = sqlx::query(
        "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) WHERE id = $1 AND ($2 IS NULL OR tenant = $2)",
    )
    .bind(id.0)
    .bind(tenant.map(Tenant::as_str))
    .bind(tx.now.0)
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    found(revoked, id)
}
