//! Writes of collections.

use super::{
    Tx,
    chat::{found, json},
    commit::Failed,
    documents::cancel_versions,
};
use chat_core::{Change, Collection, CollectionId, Committed, PortError, Tenant};
use serde_json::Value;

/// How many versions a deletion ends at once, the latest first: each takes some statements. The job that removes the
/// documents ends the rest.
const ENDED_AT_ONCE: i64 = 256;

pub(super) async fn apply(tx: &mut Tx<'_>, change: Change, committed: &mut Committed) -> Result<(), Failed> {
    match change {
        Change::InsertCollection(collection) => insert_collection(tx, &collection).await,
        Change::UpdateCollection { tenant, id, name, metadata } => {
            update_collection(tx, &tenant, id, name, metadata).await
        }
        Change::HideCollection(tenant, id) => hide_collection(tx, &tenant, id, committed).await,
        Change::PurgeCollection(id) => {
            run!(tx, "DELETE FROM collections WHERE id = $1 AND hidden", id.0);
            Ok(())
        }
        _ => Err(PortError::internal("not a change of collections").into()),
    }
}

/// What the tenant's searches can find has changed.
pub(super) async fn revise(tx: &mut Tx<'_>, tenant: &str) -> Result<(), Failed> {
    sqlx::query!(
        "INSERT INTO search_revisions (tenant, revision) VALUES ($1, 1)
         ON CONFLICT (tenant) DO UPDATE SET revision = search_revisions.revision + 1",
        tenant
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

async fn insert_collection(tx: &mut Tx<'_>, collection: &Collection) -> Result<(), Failed> {
    sqlx::query!(
        "INSERT INTO collections (id, tenant, name, metadata, created_at, updated_at)
         VALUES ($1, $2, $3, $4::text::jsonb, $5, $5)",
        collection.id.0,
        collection.tenant.as_str(),
        collection.name,
        json(&collection.metadata)?,
        collection.created_at.0
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

async fn update_collection(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    id: CollectionId,
    name: Option<String>,
    metadata: Option<Value>,
) -> Result<(), Failed> {
    let changed = sqlx::query!(
        "UPDATE collections SET name = coalesce($3, name), updated_at = $5,
             metadata = coalesce($4::text::jsonb, metadata)
         WHERE id = $1 AND tenant = $2 AND NOT hidden",
        id.0,
        tenant.as_str(),
        name,
        metadata.as_ref().map(json).transpose()?,
        tx.now.0
    )
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    found(changed, id)
}

async fn hide_collection(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    id: CollectionId,
    committed: &mut Committed,
) -> Result<(), Failed> {
    let hidden = sqlx::query!(
        "UPDATE collections SET hidden = true WHERE id = $1 AND tenant = $2 AND NOT hidden",
        id.0,
        tenant.as_str()
    )
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    found(hidden, id)?;
    run!(tx, "UPDATE documents SET hidden = true WHERE collection = $1", id.0);
    let versions = sqlx::query_scalar!(
        "SELECT v.id FROM documents d JOIN document_versions v ON v.document = d.id
         WHERE d.collection = $1 AND v.status NOT IN ('ready', 'failed', 'cancelled')
         ORDER BY v.id DESC LIMIT $2",
        id.0,
        ENDED_AT_ONCE
    )
    .fetch_all(&mut *tx.conn)
    .await?;
    cancel_versions(tx, versions, committed).await?;
    revise(tx, tenant.as_str()).await
}
