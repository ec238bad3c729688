//! Rows of collections, documents, versions and passages, and what they are of.

use super::from_json;
use chat_core::{
    Chunk, ChunkId, Collection, CollectionId, Document, DocumentId, DocumentStatus, JobId, Progress, Tenant,
    Timestamp, Upload, Version, VersionId,
};
use uuid::Uuid;

pub(super) struct CollectionRow {
    pub id: Uuid,
    pub tenant: String,
    pub name: String,
    pub metadata: String,
    pub created_at: i64,
    pub updated_at: i64,
    pub documents: i64,
    pub chunks: i64,
    pub bytes: i64,
}

pub(super) struct DocumentRow {
    pub id: Uuid,
    pub tenant: String,
    pub collection: Uuid,
    pub metadata: String,
    pub live_version: Option<Uuid>,
    pub created_at: i64,
    pub updated_at: i64,
    pub version_id: Uuid,
    pub number: i32,
    pub job: Uuid,
    pub filename: String,
    pub media_type: String,
    pub charset: Option<String>,
    pub detected: Option<String>,
    pub bytes: i64,
    pub sha256: String,
    pub blob: String,
    pub status: String,
    pub done: i64,
    pub total: i64,
    pub error: Option<String>,
    pub chunks: i64,
}

pub(super) struct VersionRow {
    pub id: Uuid,
    pub document: Uuid,
    pub collection: Uuid,
    pub tenant: String,
    pub filename: String,
    pub media_type: String,
    pub charset: Option<String>,
    pub bytes: i64,
    pub sha256: String,
    pub blob: String,
    pub status: String,
    pub live_version: Option<Uuid>,
    pub hidden: bool,
    pub chunks: i64,
    pub embedded: i64,
}

pub(super) struct ChunkRow {
    pub id: Uuid,
    pub ordinal: i32,
    pub title: Option<String>,
    pub text: String,
    pub start: i64,
    pub end: i64,
    pub tokens: i32,
}

impl From<CollectionRow> for Collection {
    fn from(row: CollectionRow) -> Self {
        Self {
            id: CollectionId(row.id),
            tenant: Tenant(row.tenant.into()),
            name: row.name,
            metadata: from_json(Some(&row.metadata)).unwrap_or_default(),
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            document_count: row.documents as u64,
            chunk_count: row.chunks as u64,
            bytes: row.bytes as u64,
        }
    }
}

impl From<DocumentRow> for Document {
    fn from(row: DocumentRow) -> Self {
        let status = DocumentStatus::parse(&row.status).unwrap_or(DocumentStatus::Failed);
        Self {
            id: DocumentId(row.id),
            tenant: Tenant(row.tenant.into()),
            collection: CollectionId(row.collection),
            metadata: from_json(Some(&row.metadata)).unwrap_or_default(),
            live_version: row.live_version.map(VersionId),
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            version_id: VersionId(row.version_id),
            version: row.number as u32,
            job: JobId(row.job),
            upload: Upload {
                filename: row.filename,
                media_type: row.media_type,
                charset: row.charset,
                bytes: row.bytes as u64,
                sha256: row.sha256,
                blob: row.blob,
            },
            charset: row.detected,
            status,
            progress: Progress { stage: status, done: row.done as u64, total: row.total as u64 },
            error: from_json(row.error.as_deref()),
            chunk_count: row.chunks as u64,
        }
    }
}

impl From<VersionRow> for Version {
    fn from(row: VersionRow) -> Self {
        Self {
            id: VersionId(row.id),
            document: DocumentId(row.document),
            collection: CollectionId(row.collection),
            tenant: Tenant(row.tenant.into()),
            upload: Upload {
                filename: row.filename,
                media_type: row.media_type,
                charset: row.charset,
                bytes: row.bytes as u64,
                sha256: row.sha256,
                blob: row.blob,
            },
            status: DocumentStatus::parse(&row.status).unwrap_or(DocumentStatus::Failed),
            live_version: row.live_version.map(VersionId),
            deleted: row.hidden,
            chunk_count: row.chunks as u64,
            embedded: row.embedded as u64,
        }
    }
}

impl From<ChunkRow> for Chunk {
    fn from(row: ChunkRow) -> Self {
        Self {
            id: ChunkId(row.id),
            ordinal: row.ordinal as u32,
            title: row.title,
            text: row.text,
            start: row.start as u64,
            end: row.end as u64,
            tokens: row.tokens as u32,
        }
    }
}
