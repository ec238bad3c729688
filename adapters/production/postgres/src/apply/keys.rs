//! Writes of keys.

use super::{
    Tx,
    chat::{found, json},
    commit::Failed,
};
use chat_core::{ApiKey, KeyId, Tenant};

pub(super) async fn insert(tx: &mut Tx<'_>, key: &ApiKey) -> Result<(), Failed> {
    sqlx::query!(
        "INSERT INTO api_keys (id, tenant, name, scopes, hash, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        key.id.0,
        key.tenant.as_str(),
        key.name,
        json(&key.scopes)?,
        key.hash,
        key.created_at.0,
        key.expires_at.map(|at| at.0)
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

pub(super) async fn revoke(tx: &mut Tx<'_>, tenant: Option<&Tenant>, id: KeyId) -> Result<(), Failed> {
    let revoked = sqlx::query!(
        "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3)
         WHERE id = $1 AND ($2::text IS NULL OR tenant = $2)",
        id.0,
        tenant.map(Tenant::as_str),
        tx.now.0
    )
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    found(revoked, id)
}
