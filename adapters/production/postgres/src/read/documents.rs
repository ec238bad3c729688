//! Reads of collections, documents and passages.

use super::{
    document_rows::{ChunkRow, CollectionRow, DocumentRow, VersionRow},
    from_json, page_of, words,
};
use crate::{PostgresStore, error::port_error};
use chat_core::{
    Chunk, ChunkId, Collection, CollectionId, Document, DocumentId, DocumentStatus, Page, PageRequest,
    Passage, PortError, PortResult, Tenant, Version, VersionId,
    ports::{DocumentStore, Hit, KeywordQuery},
};
use serde_json::{Map, Value};
use std::collections::HashMap;
use uuid::Uuid;

/// Collections with what is in them; the rest follows `WHERE NOT c.hidden`.
macro_rules! collections {
    ($first:literal $(+ $rest:literal)* $(, $argument:expr)*) => {
        sqlx::query_as!(
            CollectionRow,
            r#"SELECT c.id, c.tenant, c.name, c.metadata::text AS "metadata!", c.created_at, c.updated_at,
                   (SELECT count(*) FROM documents d
                    WHERE d.collection = c.id AND NOT d.hidden) AS "documents!",
                   (SELECT count(*) FROM documents d JOIN chunks k ON k.version = d.live_version
                    WHERE d.collection = c.id AND NOT d.hidden) AS "chunks!",
                   (SELECT coalesce(sum(v.bytes), 0)::bigint
                    FROM documents d JOIN document_versions v ON v.id = coalesce(d.live_version, d.newest)
                    WHERE d.collection = c.id AND NOT d.hidden) AS "bytes!"
               FROM collections c WHERE NOT c.hidden AND "# + $first $(+ $rest)*
            $(, $argument)*
        )
    };
}

/// Documents: the newest version says how far it is, the one that answers what the document is, and until the flip that is
/// the old one. The rest follows `WHERE NOT d.hidden`.
macro_rules! documents {
    ($first:literal $(+ $rest:literal)* $(, $argument:expr)*) => {
        sqlx::query_as!(
            DocumentRow,
            r#"SELECT d.id, d.tenant, d.collection, d.metadata::text AS "metadata!", d.live_version,
                   d.created_at, d.updated_at, v.id AS version_id, v.number, v.job, shown.filename,
                   shown.media_type, shown.charset, shown.detected, shown.bytes, shown.sha256, shown.blob,
                   v.status, v.done, v.total, v.error,
                   (SELECT count(*) FROM chunks k WHERE k.version = d.live_version) AS "chunks!"
               FROM documents d JOIN document_versions v ON v.id = d.newest
               JOIN document_versions shown ON shown.id = coalesce(d.live_version, d.newest)
               WHERE NOT d.hidden AND "# + $first $(+ $rest)*
            $(, $argument)*
        )
    };
}

/// Versions; the rest of the statement follows `WHERE`.
macro_rules! versions {
    ($first:literal $(+ $rest:literal)* $(, $argument:expr)*) => {
        sqlx::query_as!(
            VersionRow,
            r#"SELECT v.id, v.document, d.collection, v.tenant, v.filename, v.media_type, v.charset,
                   v.bytes, v.sha256, v.blob, v.status, d.live_version, d.hidden,
                   (SELECT count(*) FROM chunks k WHERE k.version = v.id) AS "chunks!",
                   (SELECT count(*) FROM chunks k WHERE k.version = v.id AND k.embedded) AS "embedded!"
               FROM document_versions v JOIN documents d ON d.id = v.document WHERE "# + $first $(+ $rest)*
            $(, $argument)*
        )
    };
}

#[async_trait::async_trait]
impl DocumentStore for PostgresStore {
    async fn collection(&self, tenant: &Tenant, id: CollectionId) -> PortResult<Collection> {
        let query = collections!("c.id = $1 AND c.tenant = $2", id.0, tenant.as_str());
        let row = query.fetch_optional(self.pool()).await.map_err(port_error)?;
        row.map(Collection::from).ok_or_else(|| PortError::not_found(id))
    }

    async fn collection_named(&self, tenant: &Tenant, name: &str) -> PortResult<Option<CollectionId>> {
        sqlx::query_scalar!(
            "SELECT id FROM collections WHERE tenant = $1 AND name = $2 AND NOT hidden",
            tenant.as_str(),
            name
        )
        .fetch_optional(self.pool())
        .await
        .map(|id| id.map(CollectionId))
        .map_err(port_error)
    }

    async fn collections(&self, tenant: &Tenant, request: PageRequest) -> PortResult<Page<Collection>> {
        let rows = page_of!(
            self,
            request,
            collections,
            "c.id > $1 AND c.id < $2 AND c.tenant = $4",
            tenant.as_str()
        )?;
        Ok(Page::of(rows.into_iter().map(Collection::from).collect(), request.limit))
    }

    async fn document(&self, tenant: &Tenant, id: DocumentId) -> PortResult<Document> {
        let query = documents!("d.id = $1 AND d.tenant = $2", id.0, tenant.as_str());
        let row = query.fetch_optional(self.pool()).await.map_err(port_error)?;
        row.map(Document::from).ok_or_else(|| PortError::not_found(id))
    }

    async fn documents(
        &self,
        tenant: &Tenant,
        collection: Option<CollectionId>,
        status: Option<DocumentStatus>,
        request: PageRequest,
    ) -> PortResult<Page<Document>> {
        let status = status.map(DocumentStatus::as_str);
        macro_rules! of_status {
            ($place:literal, $($argument:expr),+) => {
                page_of!(
                    self,
                    request,
                    documents,
                    $place + " AND d.id > $1 AND d.id < $2 AND ($4::text IS NULL OR $4 = v.status)",
                    status,
                    $($argument),+
                )?
            };
        }
        // A statement for each, so that each has its index.
        let rows = match collection {
            Some(id) => of_status!("d.tenant = $5 AND d.collection = $6", tenant.as_str(), id.0),
            None => of_status!("d.tenant = $5", tenant.as_str()),
        };
        Ok(Page::of(rows.into_iter().map(Document::from).collect(), request.limit))
    }

    async fn document_with_hash(
        &self,
        collection: CollectionId,
        sha256: &str,
    ) -> PortResult<Option<DocumentId>> {
        sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM documents WHERE collection = $1 AND sha256 = $2 AND NOT hidden
               UNION ALL
               SELECT d.id FROM document_versions v JOIN documents d ON d.live_version = v.id
               WHERE v.sha256 = $2 AND d.collection = $1 AND NOT d.hidden
               LIMIT 1"#,
            collection.0,
            sha256
        )
        .fetch_optional(self.pool())
        .await
        .map(|id| id.map(DocumentId))
        .map_err(port_error)
    }

    async fn documents_where(
        &self,
        tenant: &Tenant,
        metadata: &Map<String, Value>,
    ) -> PortResult<Vec<DocumentId>> {
        let wanted = Value::Object(metadata.clone()).to_string();
        sqlx::query_scalar!(
            "SELECT d.id FROM documents d
             WHERE d.tenant = $1 AND NOT d.hidden AND d.live_version IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM jsonb_each($2::text::jsonb) want
                 WHERE d.metadata -> want.key IS DISTINCT FROM want.value)",
            tenant.as_str(),
            wanted
        )
        .fetch_all(self.pool())
        .await
        .map(|ids| ids.into_iter().map(DocumentId).collect())
        .map_err(port_error)
    }

    async fn hidden_documents(&self, collection: CollectionId, limit: u32) -> PortResult<Vec<DocumentId>> {
        sqlx::query_scalar!(
            "SELECT id FROM documents WHERE collection = $1 AND hidden LIMIT $2",
            collection.0,
            i64::from(limit)
        )
        .fetch_all(self.pool())
        .await
        .map(|ids| ids.into_iter().map(DocumentId).collect())
        .map_err(port_error)
    }

    async fn unneeded_blobs(&self, keys: &[String]) -> PortResult<Vec<String>> {
        sqlx::query_scalar!(
            r#"SELECT key AS "key!" FROM unnest($1::text[]) AS given (key)
               WHERE NOT EXISTS (SELECT 1 FROM document_versions v WHERE v.blob = key)
                 AND NOT EXISTS (SELECT 1 FROM document_versions v WHERE v.text_blob = key)"#,
            keys
        )
        .fetch_all(self.pool())
        .await
        .map_err(port_error)
    }

    async fn live_version(&self, tenant: &Tenant, id: DocumentId) -> PortResult<Option<VersionId>> {
        sqlx::query_scalar!(
            "SELECT live_version FROM documents WHERE id = $1 AND tenant = $2 AND NOT hidden",
            id.0,
            tenant.as_str()
        )
        .fetch_optional(self.pool())
        .await
        .map_err(port_error)?
        .map(|live| live.map(VersionId))
        .ok_or_else(|| PortError::not_found(id))
    }

    async fn version(&self, id: VersionId) -> PortResult<Version> {
        let row = versions!("v.id = $1", id.0).fetch_optional(self.pool()).await.map_err(port_error)?;
        row.map(Version::from).ok_or_else(|| PortError::not_found(id))
    }

    async fn versions(&self, document: DocumentId) -> PortResult<Vec<Version>> {
        let query = versions!("v.document = $1 ORDER BY v.number", document.0);
        let rows = query.fetch_all(self.pool()).await.map_err(port_error)?;
        Ok(rows.into_iter().map(Version::from).collect())
    }

    async fn chunk_range(&self, version: VersionId, from: u32, to: u32) -> PortResult<Vec<Chunk>> {
        sqlx::query_as!(
            ChunkRow,
            r#"SELECT id, ordinal, title, text, start, "end", tokens FROM chunks
               WHERE version = $1 AND ordinal >= $2::bigint AND ordinal < $3::bigint ORDER BY ordinal"#,
            version.0,
            i64::from(from),
            i64::from(to)
        )
        .fetch_all(self.pool())
        .await
        .map(|rows| rows.into_iter().map(Chunk::from).collect())
        .map_err(port_error)
    }

    async fn chunks(
        &self,
        tenant: &Tenant,
        document: DocumentId,
        from: u32,
        limit: u32,
    ) -> PortResult<Vec<Chunk>> {
        sqlx::query_as!(
            ChunkRow,
            r#"SELECT k.id, k.ordinal, k.title, k.text, k.start, k."end", k.tokens
               FROM documents d JOIN chunks k ON k.version = d.live_version
               WHERE d.id = $1 AND d.tenant = $2 AND NOT d.hidden AND k.ordinal >= $3::bigint
               ORDER BY k.ordinal LIMIT $4"#,
            document.0,
            tenant.as_str(),
            i64::from(from),
            i64::from(limit)
        )
        .fetch_all(self.pool())
        .await
        .map(|rows| rows.into_iter().map(Chunk::from).collect())
        .map_err(port_error)
    }

    async fn passages(&self, tenant: &Tenant, ids: &[ChunkId]) -> PortResult<Vec<Passage>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let rows = sqlx::query!(
            r#"SELECT d.id AS document, d.collection, v.filename, d.metadata::text AS "metadata!",
                      k.id, k.ordinal, k.title, k.text, k.start, k."end", k.tokens
               FROM chunks k JOIN documents d ON d.live_version = k.version AND NOT d.hidden
               JOIN document_versions v ON v.id = k.version WHERE d.tenant = $1 AND k.id = ANY($2)"#,
            tenant.as_str(),
            &wanted[..]
        )
        .fetch_all(self.pool())
        .await
        .map_err(port_error)?;
        let passages = rows.into_iter().map(|row| {
            let chunk = ChunkRow {
                id: row.id,
                ordinal: row.ordinal,
                title: row.title,
                text: row.text,
                start: row.start,
                end: row.end,
                tokens: row.tokens,
            };
            Passage {
                document: DocumentId(row.document),
                collection: CollectionId(row.collection),
                filename: row.filename,
                metadata: from_json(Some(&row.metadata)).unwrap_or_default(),
                chunk: chunk.into(),
            }
        });
        let mut found: HashMap<ChunkId, Passage> =
            passages.map(|passage| (passage.chunk.id, passage)).collect();
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    async fn keyword_search(&self, query: &KeywordQuery) -> PortResult<Vec<Hit>> {
        words::find(self, query).await
    }

    async fn word_frequencies(&self, tenant: &Tenant, words: &[String]) -> PortResult<Option<Vec<u64>>> {
        words::frequencies(self, tenant, words).await.map(Some)
    }

    async fn search_revision(&self, tenant: &Tenant) -> PortResult<u64> {
        sqlx::query_scalar!("SELECT revision FROM search_revisions WHERE tenant = $1", tenant.as_str())
            .fetch_optional(self.pool())
            .await
            .map(|revision| revision.unwrap_or(0) as u64)
            .map_err(port_error)
    }
}
