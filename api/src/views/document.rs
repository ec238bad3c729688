use super::FailureView;
use chat_core::{CollectionId, Document, DocumentId, DocumentStatus, JobId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A document: the content that answers, and the state of its newest version.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Document)]
pub struct DocumentView {
    /// Its id.
    #[schema(value_type = String)]
    id: DocumentId,
    /// `document`.
    #[schema(example = "document")]
    object: &'static str,
    /// Where it is.
    #[schema(value_type = String)]
    collection_id: CollectionId,
    /// Its name. This, and what else is said of the content, is of the version that answers; of the newest until one does.
    filename: String,
    /// What sort of file it is.
    media_type: String,
    /// How large it is.
    bytes: u64,
    /// SHA-256 of its bytes, in hex.
    sha256: String,
    /// How far the newest version is. One that failed or was cancelled does not take the place of one that answers:
    /// `searchable` says whether there is one.
    #[schema(
        value_type = String,
        pattern = "^(queued|parsing|chunking|embedding|indexing|ready|failed|cancelled)$"
    )]
    status: DocumentStatus,
    /// The stage of the newest version.
    progress: ProgressView,
    /// The number of the newest version, from 1.
    version: u32,
    /// Whether a version of it can be found already.
    searchable: bool,
    /// How many passages can be found.
    chunk_count: u64,
    /// The character set that it was read with.
    #[serde(skip_serializing_if = "Option::is_none")]
    charset: Option<String>,
    /// The caller's own data.
    #[schema(value_type = Object)]
    metadata: Value,
    /// Why the newest version failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FailureView>,
    /// The job that ingests the newest version.
    #[schema(value_type = String)]
    job_id: JobId,
    /// The document of this collection that had the same bytes already: this one.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_of: Option<DocumentId>,
    /// When it was uploaded first.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A stage, and how much of it is done.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Progress)]
pub struct ProgressView {
    /// The stage.
    #[schema(value_type = String)]
    stage: DocumentStatus,
    /// Units done: bytes while parsing, passages afterwards.
    done: u64,
    /// Units in all.
    total: u64,
}

impl From<Document> for DocumentView {
    fn from(document: Document) -> Self {
        let error = document.error.map(|error| FailureView { code: error.code, message: error.message });
        let progress = document.progress;
        Self {
            id: document.id,
            object: "document",
            collection_id: document.collection,
            filename: document.upload.filename,
            media_type: document.upload.media_type,
            bytes: document.upload.bytes,
            sha256: document.upload.sha256,
            status: document.status,
            progress: ProgressView { stage: progress.stage, done: progress.done, total: progress.total },
            version: document.version,
            searchable: document.live_version.is_some(),
            chunk_count: document.chunk_count,
            charset: document.charset,
            metadata: document.metadata,
            error,
            job_id: document.job,
            duplicate_of: None,
            created_at: document.created_at,
            updated_at: document.updated_at,
        }
    }
}

impl DocumentView {
    /// Says that the document was there already.
    #[must_use]
    pub fn duplicate(mut self) -> Self {
        self.duplicate_of = Some(self.id);
        self
    }
}

/// What an upload made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Documents {
    /// One per file, in the order of the files.
    pub documents: Vec<DocumentView>,
}
