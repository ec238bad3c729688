//! Writes of documents and their versions.

use super::{
    Tx,
    chat::{clean, found, json},
    collections::revise,
    commit::Failed,
    events, hashes, words,
};
use chat_core::{
    Change, Chunk, CollectionId, Committed, DocumentId, DocumentStatus, Failure, NewVersion, PortError,
    StreamId, Tenant, Version, VersionId, object,
};
use serde_json::{Map, Value};
use uuid::Uuid;

pub(super) async fn apply(tx: &mut Tx<'_>, change: Change, committed: &mut Committed) -> Result<(), Failed> {
    match change {
        Change::InsertDocument { id, collection, metadata, version } => {
            insert_document(tx, id, collection, &metadata, &version).await
        }
        Change::InsertVersion(version) => insert_version(tx, &version).await,
        Change::VersionStage { version, stage, done, total } => {
            set_stage(tx, version, stage, done, total, committed).await
        }
        Change::VersionParsed { version, charset, media_type, text_blob } => {
            sqlx::query!(
                "UPDATE document_versions SET detected = $2, media_type = $3, text_blob = $4 WHERE id = $1",
                version.0,
                charset,
                media_type,
                text_blob
            )
            .execute(&mut *tx.conn)
            .await?;
            Ok(())
        }
        Change::InsertChunks { version, chunks } => {
            insert_chunks(tx, version, &chunks).await?;
            words::insert(tx, version, &chunks).await
        }
        Change::ChunksEmbedded { version, from, to } => embedded(tx, version, from, to, committed).await,
        Change::FlipVersion(version) => flip(tx, version, committed).await,
        Change::EndVersion { version, status, error } => {
            end_version(tx, version, status, error, committed).await
        }
        Change::RemoveVersion(version) => remove_version(tx, version).await,
        Change::HideDocument(tenant, id) => hide_document(tx, &tenant, id, committed).await,
        Change::PurgeDocument(id) => purge_document(tx, id).await,
        _ => Err(PortError::internal("not a change of documents").into()),
    }
}

async fn insert_document(
    tx: &mut Tx<'_>,
    id: DocumentId,
    collection: CollectionId,
    metadata: &Value,
    version: &NewVersion,
) -> Result<(), Failed> {
    hashes::refuse_twin(tx, id, collection.0, &version.upload.sha256).await?;
    let inserted = sqlx::query!(
        "INSERT INTO documents (id, tenant, collection, metadata, sha256, newest, created_at,
                                updated_at)
         SELECT $1, tenant, id, $4::text::jsonb, $5, $6, $7, $7 FROM collections
         WHERE id = $2 AND tenant = $3 AND NOT hidden",
        id.0,
        collection.0,
        version.tenant.as_str(),
        json(metadata)?,
        version.upload.sha256,
        version.id.0,
        version.created_at.0
    )
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    found(inserted, collection)?;
    insert_version_row(tx, version).await
}

async fn insert_version(tx: &mut Tx<'_>, version: &NewVersion) -> Result<(), Failed> {
    let collection = sqlx::query_scalar!(
        "UPDATE documents SET newest = $2, sha256 = $3, updated_at = $4
         WHERE id = $1 AND tenant = $5 AND NOT hidden AND ($6::uuid IS NULL OR newest = $6)
         RETURNING collection",
        version.document.0,
        version.id.0,
        version.upload.sha256,
        tx.now.0,
        version.tenant.as_str(),
        version.follows.map(|id| id.0)
    )
    .fetch_optional(&mut *tx.conn)
    .await?
    .ok_or_else(|| version.refusal())?;
    hashes::refuse_twin(tx, version.document, collection, &version.upload.sha256).await?;
    insert_version_row(tx, version).await
}

async fn insert_version_row(tx: &mut Tx<'_>, version: &NewVersion) -> Result<(), Failed> {
    let upload = &version.upload;
    sqlx::query!(
        "INSERT INTO document_versions (id, document, tenant, number, job, filename, media_type,
                                        charset, bytes, sha256, blob, status, total, created_at, updated_at)
         SELECT $1::uuid, $2::uuid, $3, coalesce(max(number), 0) + 1, $4::uuid, $5, $6, $7, $8::bigint,
                $9, $10, 'queued', $8, $11::bigint, $11
         FROM document_versions WHERE document = $2",
        version.id.0,
        version.document.0,
        version.tenant.as_str(),
        version.job.0,
        upload.filename,
        upload.media_type,
        upload.charset,
        upload.bytes as i64,
        upload.sha256,
        upload.blob,
        version.created_at.0
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

/// Tells the stream of a version's ingestion.
async fn tell(
    tx: &mut Tx<'_>,
    version: VersionId,
    name: &str,
    body: Map<String, Value>,
    committed: &mut Committed,
) -> Result<(), Failed> {
    // Held to the end: who tells the same stream meanwhile waits, so that numbers have no gap.
    let row =
        sqlx::query!("SELECT document, number FROM document_versions WHERE id = $1 FOR UPDATE", version.0)
            .fetch_optional(&mut *tx.conn)
            .await?;
    let Some(row) = row else { return Ok(()) };
    let (document, before) = (DocumentId(row.document), Version::events_before(row.number as u32));
    let head = [("document_id", document.to_string().into()), ("version_id", version.to_string().into())];
    let stream = StreamId::from(version);
    let event = events::append_next(tx, stream, before, name, &head, body).await?;
    committed.events.push((stream, event));
    Ok(())
}

async fn set_stage(
    tx: &mut Tx<'_>,
    version: VersionId,
    stage: DocumentStatus,
    done: u64,
    total: u64,
    committed: &mut Committed,
) -> Result<(), Failed> {
    // Of a deleted document nothing more is told.
    let goes_on = sqlx::query!(
        "UPDATE document_versions SET status = $2, done = $3, total = $4, error = NULL, updated_at = $5
         WHERE id = $1 AND document IN (SELECT id FROM documents WHERE NOT hidden)",
        version.0,
        stage.as_str(),
        done as i64,
        total as i64,
        tx.now.0
    )
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    if goes_on == 0 {
        return Ok(());
    }
    let body = object([("stage", stage.as_str().into()), ("done", done.into()), ("total", total.into())]);
    tell(tx, version, "document.stage", body, committed).await
}

async fn insert_chunks(tx: &mut Tx<'_>, version: VersionId, chunks: &[Chunk]) -> Result<(), Failed> {
    let column = |of: fn(&Chunk) -> i64| chunks.iter().map(of).collect::<Vec<_>>();
    let titles: Vec<Option<String>> =
        chunks.iter().map(|chunk| chunk.title.as_deref().map(|title| clean(title).into_owned())).collect();
    let texts: Vec<String> = chunks.iter().map(|chunk| clean(&chunk.text).into_owned()).collect();
    sqlx::query!(
        r#"INSERT INTO chunks (id, version, ordinal, title, text, start, "end", tokens)
           SELECT row.id, $1, row.ordinal, row.title, row.text, row.start, row.stop, row.tokens
           FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
                       $8::bigint[]) AS row (id, ordinal, title, text, start, stop, tokens)
           WHERE EXISTS (SELECT 1 FROM document_versions WHERE id = $1)
           ON CONFLICT DO NOTHING"#,
        version.0,
        &chunks.iter().map(|chunk| chunk.id.0).collect::<Vec<_>>()[..],
        &column(|chunk| i64::from(chunk.ordinal))[..],
        &titles[..] as &[Option<String>],
        &texts[..],
        &column(|chunk| chunk.start as i64)[..],
        &column(|chunk| chunk.end as i64)[..],
        &column(|chunk| i64::from(chunk.tokens))[..]
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

/// Marking passages, not adding to a count, makes a repeated job count once. Jobs of one version count one after the
/// other: each sees what the ones before it marked.
async fn embedded(
    tx: &mut Tx<'_>,
    version: VersionId,
    from: u32,
    to: u32,
    committed: &mut Committed,
) -> Result<(), Failed> {
    sqlx::query_scalar!("SELECT id FROM document_versions WHERE id = $1 FOR UPDATE", version.0)
        .fetch_optional(&mut *tx.conn)
        .await?;
    sqlx::query!(
        "UPDATE chunks SET embedded = true
         WHERE version = $1 AND ordinal >= $2::bigint AND ordinal < $3::bigint",
        version.0,
        i64::from(from),
        i64::from(to)
    )
    .execute(&mut *tx.conn)
    .await?;
    let row = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE embedded) AS "done!", count(*) AS "total!" FROM chunks
         WHERE version = $1"#,
        version.0
    )
    .fetch_one(&mut *tx.conn)
    .await?;
    let (done, total) = (row.done, row.total);
    // A version that ended meanwhile stays ended.
    let goes_on =
        sqlx::query!("SELECT id FROM document_versions WHERE id = $1 AND status = 'embedding'", version.0)
            .fetch_optional(&mut *tx.conn)
            .await?
            .is_some();
    if goes_on {
        set_stage(tx, version, DocumentStatus::Embedding, done as u64, total as u64, committed).await?;
    }
    Ok(())
}

/// One transaction in which the new version begins to answer and the old one stops.
async fn flip(tx: &mut Tx<'_>, version: VersionId, committed: &mut Committed) -> Result<(), Failed> {
    let tenant = sqlx::query_scalar!(
        "UPDATE documents SET live_version = $1, updated_at = $2
         WHERE id = (SELECT document FROM document_versions WHERE id = $1) AND NOT hidden
           AND NOT EXISTS (SELECT 1 FROM document_versions live, document_versions this
                           WHERE live.id = documents.live_version AND this.id = $1
                               AND live.number > this.number)
         RETURNING tenant",
        version.0,
        tx.now.0
    )
    .fetch_optional(&mut *tx.conn)
    .await?;
    // A newer version answers already, or the document was deleted: this one never will.
    let Some(tenant) = tenant else {
        return end_version(tx, version, DocumentStatus::Cancelled, None, committed).await;
    };
    let count =
        sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM chunks WHERE version = $1"#, version.0)
            .fetch_one(&mut *tx.conn)
            .await?;
    sqlx::query!(
        "UPDATE document_versions SET status = 'ready', done = $2, total = $2, error = NULL, updated_at = $3
         WHERE id = $1",
        version.0,
        count,
        tx.now.0
    )
    .execute(&mut *tx.conn)
    .await?;
    hashes::settle_hash(tx, version).await?;
    revise(tx, &tenant).await?;
    tell(tx, version, "document.completed", object([("chunk_count", count.into())]), committed).await
}

async fn end_version(
    tx: &mut Tx<'_>,
    version: VersionId,
    status: DocumentStatus,
    error: Option<Failure>,
    committed: &mut Committed,
) -> Result<(), Failed> {
    // Documents are locked before their versions, as everywhere.
    sqlx::query_scalar!(
        "SELECT id FROM documents
         WHERE id = (SELECT document FROM document_versions WHERE id = $1) FOR UPDATE",
        version.0
    )
    .fetch_optional(&mut *tx.conn)
    .await?;
    if !close_version(tx, version, status, error.as_ref()).await? {
        return Ok(());
    }
    hashes::settle_hash(tx, version).await?;
    run!(tx, "DELETE FROM chunks WHERE version = $1", version.0);
    run!(tx, "DELETE FROM chunk_words WHERE version = $1", version.0);
    let (name, body) = match error {
        Some(error) if status == DocumentStatus::Failed => {
            let error = serde_json::to_value(error).unwrap_or_default();
            ("document.failed", object([("error", error)]))
        }
        _ => ("document.cancelled", Map::new()),
    };
    tell(tx, version, name, body, committed).await
}

/// Whether it was open.
async fn close_version(
    tx: &mut Tx<'_>,
    version: VersionId,
    status: DocumentStatus,
    error: Option<&Failure>,
) -> Result<bool, Failed> {
    let closed = sqlx::query!(
        "UPDATE document_versions SET status = $2, error = $3, updated_at = $4
         WHERE id = $1 AND status NOT IN ('ready', 'failed', 'cancelled')",
        version.0,
        status.as_str(),
        error.map(json).transpose()?,
        tx.now.0
    )
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    Ok(closed == 1)
}

/// Tells who follows versions of what is deleted that nothing more comes. Their passages go with the document.
pub(super) async fn cancel_versions(
    tx: &mut Tx<'_>,
    versions: Vec<Uuid>,
    committed: &mut Committed,
) -> Result<(), Failed> {
    for version in versions.into_iter().map(VersionId) {
        if close_version(tx, version, DocumentStatus::Cancelled, None).await? {
            tell(tx, version, "document.cancelled", Map::new(), committed).await?;
        }
    }
    Ok(())
}

async fn remove_version(tx: &mut Tx<'_>, version: VersionId) -> Result<(), Failed> {
    run!(
        tx,
        "DELETE FROM document_versions WHERE id = $1
         AND NOT EXISTS (SELECT 1 FROM documents WHERE live_version = $1 OR newest = $1)",
        version.0
    );
    Ok(())
}

async fn hide_document(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    id: DocumentId,
    committed: &mut Committed,
) -> Result<(), Failed> {
    let hidden = sqlx::query!(
        "UPDATE documents SET hidden = true WHERE id = $1 AND tenant = $2 AND NOT hidden",
        id.0,
        tenant.as_str()
    )
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    found(hidden, id)?;
    let versions = sqlx::query_scalar!(
        "SELECT id FROM document_versions
         WHERE document = $1 AND status NOT IN ('ready', 'failed', 'cancelled')",
        id.0
    )
    .fetch_all(&mut *tx.conn)
    .await?;
    cancel_versions(tx, versions, committed).await?;
    revise(tx, tenant.as_str()).await
}

async fn purge_document(tx: &mut Tx<'_>, id: DocumentId) -> Result<(), Failed> {
    run!(tx, "DELETE FROM documents WHERE id = $1 AND hidden", id.0);
    Ok(())
}
