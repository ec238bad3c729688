use super::{from_json, page, same::same, words};
use crate::sqlite::{SqliteStore, error::port_error};
use chat_core::{
    Chunk, ChunkId, Collection, CollectionId, Document, DocumentId, DocumentStatus, JobId, Page, PageRequest,
    Passage, PortError, PortResult, Progress, Tenant, Timestamp, Upload, Version, VersionId,
    ports::{DocumentStore, Hit, KeywordQuery},
};
use serde_json::{Map, Value};
use sqlx::{QueryBuilder, Row};
use sqlx_sqlite::{Sqlite, SqliteRow};
use std::collections::HashMap;
use uuid::Uuid;

const COLLECTIONS: &str = "SELECT c.id, c.tenant, c.name, c.metadata, c.created_at, c.updated_at,
        (SELECT count(*) FROM documents d WHERE d.collection = c.id AND d.hidden = 0),
        (SELECT count(*) FROM documents d JOIN chunks k ON k.version = d.live_version
         WHERE d.collection = c.id AND d.hidden = 0),
        (SELECT coalesce(sum(v.bytes), 0) FROM documents d JOIN document_versions v ON v.id = coalesce(d.live_version, d.newest)
         WHERE d.collection = c.id AND d.hidden = 0)
    FROM collections c WHERE c.hidden = 0";

/// The newest version says how far it is, the one that answers what the document is: until the flip that is the old one.
const DOCUMENTS: &str =
    "SELECT d.id, d.tenant, d.collection, d.metadata, d.live_version, d.created_at, d.updated_at,
        v.id, v.number, v.job, shown.filename, shown.media_type, shown.charset, shown.detected, shown.bytes,
        shown.sha256, shown.blob, v.status, v.done, v.total, v.error,
        (SELECT count(*) FROM chunks k WHERE k.version = d.live_version)
    FROM documents d JOIN document_versions v ON v.id = d.newest
    JOIN document_versions shown ON shown.id = coalesce(d.live_version, d.newest) WHERE d.hidden = 0";

const VERSIONS: &str =
    "SELECT v.id, v.document, d.collection, v.tenant, v.filename, v.media_type, v.charset, v.bytes,
        v.sha256, v.blob, v.status, d.live_version, d.hidden,
        (SELECT count(*) FROM chunks k WHERE k.version = v.id),
        (SELECT count(*) FROM chunks k WHERE k.version = v.id AND k.embedded)
    FROM document_versions v JOIN documents d ON d.id = v.document WHERE ";

#[async_trait::async_trait]
impl DocumentStore for SqliteStore {
    async fn collection(&self, tenant: &Tenant, id: CollectionId) -> PortResult<Collection> {
        let mut query = QueryBuilder::<Sqlite>::new(COLLECTIONS);
        query.push(" AND c.id = ").push_bind(id.0).push(" AND c.tenant = ").push_bind(tenant.as_str());
        let row = query.build().fetch_optional(self.readers()).await.map_err(port_error)?;
        row.as_ref().map(read_collection).ok_or_else(|| PortError::not_found(id))
    }

    async fn collection_named(&self, tenant: &Tenant, name: &str) -> PortResult<Option<CollectionId>> {
        sqlx::query_scalar::<_, Uuid>(
            "SELECT id FROM collections WHERE tenant = ?1 AND name = ?2 AND hidden = 0",
        )
        .bind(tenant.as_str())
        .bind(name)
        .fetch_optional(self.readers())
        .await
        .map(|id| id.map(CollectionId))
        .map_err(port_error)
    }

    async fn collections(&self, tenant: &Tenant, request: PageRequest) -> PortResult<Page<Collection>> {
        let mut query = QueryBuilder::<Sqlite>::new(COLLECTIONS);
        query.push(" AND c.tenant = ").push_bind(tenant.as_str());
        page(&mut query, "c.id", request);
        let rows = query.build().fetch_all(self.readers()).await.map_err(port_error)?;
        Ok(Page::of(rows.iter().map(read_collection).collect(), request.limit))
    }

    async fn document(&self, tenant: &Tenant, id: DocumentId) -> PortResult<Document> {
        let mut query = QueryBuilder::<Sqlite>::new(DOCUMENTS);
        query.push(" AND d.id = ").push_bind(id.0).push(" AND d.tenant = ").push_bind(tenant.as_str());
        let row = query.build().fetch_optional(self.readers()).await.map_err(port_error)?;
        row.as_ref().map(read_document).ok_or_else(|| PortError::not_found(id))
    }

    async fn documents(
        &self,
        tenant: &Tenant,
        collection: Option<CollectionId>,
        status: Option<DocumentStatus>,
        request: PageRequest,
    ) -> PortResult<Page<Document>> {
        let mut query = QueryBuilder::<Sqlite>::new(DOCUMENTS);
        query.push(" AND d.tenant = ").push_bind(tenant.as_str());
        if let Some(collection) = collection {
            query.push(" AND d.collection = ").push_bind(collection.0);
        }
        if let Some(status) = status {
            query.push(" AND v.status = ").push_bind(status.as_str());
        }
        page(&mut query, "d.id", request);
        let rows = query.build().fetch_all(self.readers()).await.map_err(port_error)?;
        Ok(Page::of(rows.iter().map(read_document).collect(), request.limit))
    }

    async fn document_with_hash(
        &self,
        collection: CollectionId,
        sha256: &str,
    ) -> PortResult<Option<DocumentId>> {
        sqlx::query_scalar::<_, Uuid>(
            "SELECT id FROM documents WHERE collection = ?1 AND sha256 = ?2 AND hidden = 0
             UNION ALL
             SELECT d.id FROM document_versions v JOIN documents d ON d.live_version = v.id
             WHERE v.sha256 = ?2 AND d.collection = ?1 AND d.hidden = 0
             LIMIT 1",
        )
        .bind(collection.0)
        .bind(sha256)
        .fetch_optional(self.readers())
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
        // Compared to the last member only where the names are there, and plain values fit.
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "SELECT d.id, d.metadata FROM documents d
             WHERE d.tenant = ?1 AND d.hidden = 0 AND d.live_version IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM json_each(?2) want WHERE NOT EXISTS (
                     SELECT 1 FROM json_each(d.metadata) has
                     WHERE has.key = want.key
                       AND (has.value IS want.value OR want.type IN ('array', 'object'))))",
        )
        .bind(tenant.as_str())
        .bind(wanted)
        .fetch_all(self.readers())
        .await
        .map_err(port_error)?;
        let fits = |has: &str| {
            let has: Map<String, Value> = from_json(Some(has)).unwrap_or_default();
            metadata.iter().all(|(key, value)| has.get(key).is_some_and(|found| same(value, found)))
        };
        Ok(rows.into_iter().filter(|(_, has)| fits(has)).map(|(id, _)| DocumentId(id)).collect())
    }

    async fn hidden_documents(&self, collection: CollectionId, limit: u32) -> PortResult<Vec<DocumentId>> {
        sqlx::query_scalar::<_, Uuid>(
            "SELECT id FROM documents WHERE collection = ?1 AND hidden = 1 LIMIT ?2",
        )
        .bind(collection.0)
        .bind(limit)
        .fetch_all(self.readers())
        .await
        .map(|ids| ids.into_iter().map(DocumentId).collect())
        .map_err(port_error)
    }

    async fn unneeded_blobs(&self, keys: &[String]) -> PortResult<Vec<String>> {
        sqlx::query_scalar(
            "SELECT value FROM json_each(?1)
             WHERE NOT EXISTS (SELECT 1 FROM document_versions v WHERE v.blob = value)
               AND NOT EXISTS (SELECT 1 FROM document_versions v WHERE v.text_blob = value)",
        )
        .bind(Value::from(keys).to_string())
        .fetch_all(self.readers())
        .await
        .map_err(port_error)
    }

    async fn live_version(&self, tenant: &Tenant, id: DocumentId) -> PortResult<Option<VersionId>> {
        sqlx::query_scalar::<_, Option<Uuid>>(
            "SELECT live_version FROM documents WHERE id = ?1 AND tenant = ?2 AND hidden = 0",
        )
        .bind(id.0)
        .bind(tenant.as_str())
        .fetch_optional(self.readers())
        .await
        .map_err(port_error)?
        .map(|live| live.map(VersionId))
        .ok_or_else(|| PortError::not_found(id))
    }

    async fn version(&self, id: VersionId) -> PortResult<Version> {
        let mut query = QueryBuilder::<Sqlite>::new(VERSIONS);
        query.push("v.id = ").push_bind(id.0);
        let row = query.build().fetch_optional(self.readers()).await.map_err(port_error)?;
        row.as_ref().map(read_version).ok_or_else(|| PortError::not_found(id))
    }

    async fn versions(&self, document: DocumentId) -> PortResult<Vec<Version>> {
        let mut query = QueryBuilder::<Sqlite>::new(VERSIONS);
        query.push("v.document = ").push_bind(document.0).push(" ORDER BY v.number");
        let rows = query.build().fetch_all(self.readers()).await.map_err(port_error)?;
        Ok(rows.iter().map(read_version).collect())
    }

    async fn chunk_range(&self, version: VersionId, from: u32, to: u32) -> PortResult<Vec<Chunk>> {
        sqlx::query(
            r#"SELECT id, ordinal, title, text, start, "end", tokens FROM chunks
               WHERE version = ?1 AND ordinal >= ?2 AND ordinal < ?3 ORDER BY ordinal"#,
        )
        .bind(version.0)
        .bind(from)
        .bind(to)
        .fetch_all(self.readers())
        .await
        .map(|rows| rows.iter().map(|row| read_chunk(row, 0)).collect())
        .map_err(port_error)
    }

    async fn chunks(
        &self,
        tenant: &Tenant,
        document: DocumentId,
        from: u32,
        limit: u32,
    ) -> PortResult<Vec<Chunk>> {
        sqlx::query(
            r#"SELECT k.id, k.ordinal, k.title, k.text, k.start, k."end", k.tokens
               FROM documents d JOIN chunks k ON k.version = d.live_version
               WHERE d.id = ?1 AND d.tenant = ?2 AND d.hidden = 0 AND k.ordinal >= ?3 ORDER BY k.ordinal LIMIT ?4"#,
        )
        .bind(document.0)
        .bind(tenant.as_str())
        .bind(from)
        .bind(limit)
        .fetch_all(self.readers())
        .await
        .map(|rows| rows.iter().map(|row| read_chunk(row, 0)).collect())
        .map_err(port_error)
    }

    async fn passages(&self, tenant: &Tenant, ids: &[ChunkId]) -> PortResult<Vec<Passage>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Sqlite>::new(
            r#"SELECT d.id, d.collection, v.filename, d.metadata,
                      k.id, k.ordinal, k.title, k.text, k.start, k."end", k.tokens
               FROM chunks k JOIN documents d ON d.live_version = k.version AND d.hidden = 0
               JOIN document_versions v ON v.id = k.version WHERE d.tenant = "#,
        );
        query.push_bind(tenant.as_str()).push(" AND k.id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.0);
        }
        query.push(")");
        let rows = query.build().fetch_all(self.readers()).await.map_err(port_error)?;
        let mut found: HashMap<ChunkId, Passage> =
            rows.iter().map(read_passage).map(|passage| (passage.chunk.id, passage)).collect();
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    async fn keyword_search(&self, query: &KeywordQuery) -> PortResult<Vec<Hit>> {
        words::find(self, query).await
    }

    /// The index in this process has all words in memory, and mends spelling itself.
    async fn word_frequencies(&self, _tenant: &Tenant, _words: &[String]) -> PortResult<Option<Vec<u64>>> {
        Ok(None)
    }

    async fn search_revision(&self, tenant: &Tenant) -> PortResult<u64> {
        sqlx::query_scalar::<_, i64>("SELECT revision FROM search_revisions WHERE tenant = ?1")
            .bind(tenant.as_str())
            .fetch_optional(self.readers())
            .await
            .map(|revision| revision.unwrap_or(0) as u64)
            .map_err(port_error)
    }
}

fn read_collection(row: &SqliteRow) -> Collection {
    Collection {
        id: CollectionId(row.get::<Uuid, _>(0)),
        tenant: Tenant::from(row.get::<&str, _>(1)),
        name: row.get(2),
        metadata: from_json(row.get(3)).unwrap_or_default(),
        created_at: Timestamp(row.get(4)),
        updated_at: Timestamp(row.get(5)),
        document_count: row.get::<i64, _>(6) as u64,
        chunk_count: row.get::<i64, _>(7) as u64,
        bytes: row.get::<i64, _>(8) as u64,
    }
}

fn read_document(row: &SqliteRow) -> Document {
    let status = DocumentStatus::parse(row.get(17)).unwrap_or(DocumentStatus::Failed);
    Document {
        id: DocumentId(row.get::<Uuid, _>(0)),
        tenant: Tenant::from(row.get::<&str, _>(1)),
        collection: CollectionId(row.get::<Uuid, _>(2)),
        metadata: from_json(row.get(3)).unwrap_or_default(),
        live_version: row.get::<Option<Uuid>, _>(4).map(VersionId),
        created_at: Timestamp(row.get(5)),
        updated_at: Timestamp(row.get(6)),
        version_id: VersionId(row.get::<Uuid, _>(7)),
        version: row.get(8),
        job: JobId(row.get::<Uuid, _>(9)),
        upload: read_upload(row, [10, 11, 12, 14, 15, 16]),
        charset: row.get(13),
        status,
        progress: Progress {
            stage: status,
            done: row.get::<i64, _>(18) as u64,
            total: row.get::<i64, _>(19) as u64,
        },
        error: from_json(row.get(20)),
        chunk_count: row.get::<i64, _>(21) as u64,
    }
}

/// Columns of file name, media type, charset, bytes, hash and blob.
fn read_upload(row: &SqliteRow, [filename, media_type, charset, bytes, sha256, blob]: [usize; 6]) -> Upload {
    Upload {
        filename: row.get(filename),
        media_type: row.get(media_type),
        charset: row.get(charset),
        bytes: row.get::<i64, _>(bytes) as u64,
        sha256: row.get(sha256),
        blob: row.get(blob),
    }
}

fn read_version(row: &SqliteRow) -> Version {
    Version {
        id: VersionId(row.get::<Uuid, _>(0)),
        document: DocumentId(row.get::<Uuid, _>(1)),
        collection: CollectionId(row.get::<Uuid, _>(2)),
        tenant: Tenant::from(row.get::<&str, _>(3)),
        upload: read_upload(row, [4, 5, 6, 7, 8, 9]),
        status: DocumentStatus::parse(row.get(10)).unwrap_or(DocumentStatus::Failed),
        live_version: row.get::<Option<Uuid>, _>(11).map(VersionId),
        deleted: row.get(12),
        chunk_count: row.get::<i64, _>(13) as u64,
        embedded: row.get::<i64, _>(14) as u64,
    }
}

/// A passage's columns begin at `from`.
fn read_chunk(row: &SqliteRow, from: usize) -> Chunk {
    Chunk {
        id: ChunkId(row.get::<Uuid, _>(from)),
        ordinal: row.get(from + 1),
        title: row.get(from + 2),
        text: row.get(from + 3),
        start: row.get::<i64, _>(from + 4) as u64,
        end: row.get::<i64, _>(from + 5) as u64,
        tokens: row.get(from + 6),
    }
}

fn read_passage(row: &SqliteRow) -> Passage {
    Passage {
        document: DocumentId(row.get::<Uuid, _>(0)),
        collection: CollectionId(row.get::<Uuid, _>(1)),
        filename: row.get(2),
        metadata: from_json(row.get(3)).unwrap_or_default(),
        chunk: read_chunk(row, 4),
    }
}
