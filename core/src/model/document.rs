//! Collections, documents, their versions and passages.

use crate::{
    ChunkId, CollectionId, DocumentId, ErrorKind, Failure, JobId, PortError, Tenant, Timestamp, VersionId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A set of documents that are searched together.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    /// Its id.
    pub id: CollectionId,
    /// Its owner.
    pub tenant: Tenant,
    /// What to call it; one of a kind within the tenant.
    pub name: String,
    /// The caller's own data.
    pub metadata: Value,
    /// How many documents it holds.
    pub document_count: u64,
    /// How many passages can be found in it.
    pub chunk_count: u64,
    /// Bytes as uploaded.
    pub bytes: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// How far a version of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentStatus {
    /// Accepted, not begun.
    Queued,
    /// Bytes become text.
    Parsing,
    /// Text becomes passages.
    Chunking,
    /// Passages become vectors.
    Embedding,
    /// The new version is checked and put in the place of the old one.
    Indexing,
    /// It can be found.
    Ready,
    /// It could not be read.
    Failed,
    /// Stopped on request.
    Cancelled,
}

impl DocumentStatus {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Parsing,
        Self::Chunking,
        Self::Embedding,
        Self::Indexing,
        Self::Ready,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Parsing => "parsing",
            Self::Chunking => "chunking",
            Self::Embedding => "embedding",
            Self::Indexing => "indexing",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether nothing more will happen to it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Ready | Self::Failed | Self::Cancelled)
    }
}

/// A stage, and how much of it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The stage.
    pub stage: DocumentStatus,
    /// Units done: bytes while parsing, passages afterwards.
    pub done: u64,
    /// Units in all.
    pub total: u64,
}

/// The bytes of a version, as they were uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The name that the caller gave.
    pub filename: String,
    /// The media type that the caller gave, or that the name suggests.
    pub media_type: String,
    /// The character set that the caller insists on.
    pub charset: Option<String>,
    /// How many bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
    /// Where the bytes are.
    pub blob: String,
}

/// A document: the content that answers, and the state of its newest version. They differ while one replaces the other,
/// and after that has failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// Its owner.
    pub tenant: Tenant,
    /// Where it is.
    pub collection: CollectionId,
    /// The bytes of the version that answers; of the newest as long as none does.
    pub upload: Upload,
    /// The caller's own data; searches can filter on it.
    pub metadata: Value,
    /// How far the newest version is.
    pub status: DocumentStatus,
    /// The stage of the newest version.
    pub progress: Progress,
    /// The number of the newest version, from 1.
    pub version: u32,
    /// The newest version.
    pub version_id: VersionId,
    /// The version that answers; `None` until the first is ready.
    pub live_version: Option<VersionId>,
    /// How many passages can be found.
    pub chunk_count: u64,
    /// The character set that these bytes were read with.
    pub charset: Option<String>,
    /// Why the newest version failed.
    pub error: Option<Failure>,
    /// The job that ingests the newest version.
    pub job: JobId,
    /// When it was uploaded first.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A version to be ingested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// Its id.
    pub id: VersionId,
    /// The document.
    pub document: DocumentId,
    /// Its owner.
    pub tenant: Tenant,
    /// The bytes.
    pub upload: Upload,
    /// The job that ingests it.
    pub job: JobId,
    /// If given, this must still be the document's newest version.
    pub follows: Option<VersionId>,
    /// When it was accepted.
    pub created_at: Timestamp,
}

impl NewVersion {
    /// Why it is not written if its document is not there, or has another newest version than it follows.
    pub fn refusal(&self) -> PortError {
        match self.follows {
            Some(_) => {
                PortError::new(ErrorKind::Conflict, "the document was deleted, or has another version by now")
            }
            None => PortError::not_found(self.document),
        }
    }
}

/// What a job needs to know of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its id.
    pub id: VersionId,
    /// The document.
    pub document: DocumentId,
    /// The collection.
    pub collection: CollectionId,
    /// Its owner.
    pub tenant: Tenant,
    /// The bytes.
    pub upload: Upload,
    /// How far it is.
    pub status: DocumentStatus,
    /// How many passages it has.
    pub chunk_count: u64,
    /// How many of them have a vector.
    pub embedded: u64,
    /// The version that answers now.
    pub live_version: Option<VersionId>,
    /// The document was deleted meanwhile.
    pub deleted: bool,
}

impl Version {
    /// How far apart the numbers of two versions' events begin: no version tells so much.
    const EVENTS: u64 = 1_000_000;

    /// The number before the first event of a document's version with this number. The events of a document are numbered
    /// on from version to version, so a reader who resumes with the number of an earlier one has missed all of this one.
    pub fn events_before(number: u32) -> u64 {
        u64::from(number.saturating_sub(1)) * Self::EVENTS
    }
}

/// A passage of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its id.
    pub id: ChunkId,
    /// Its place in the document, from 0.
    pub ordinal: u32,
    /// The headings above it.
    pub title: Option<String>,
    /// Its text.
    pub text: String,
    /// Where it begins in the document's text, in characters.
    pub start: u64,
    /// Where it ends, in characters, exclusive.
    pub end: u64,
    /// Its length in tokens.
    pub tokens: u32,
}

impl Chunk {
    /// The passage with the headings above it, as search sees it.
    pub fn headed(&self) -> String {
        Self::with_heading(self.title.as_deref(), &self.text)
    }

    /// A text below its headings.
    pub fn with_heading(title: Option<&str>, text: &str) -> String {
        title.map_or_else(|| text.to_owned(), |title| format!("{title}\n{text}"))
    }
}

/// A passage that can be found, with its document.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// The passage.
    pub chunk: Chunk,
    /// The document.
    pub document: DocumentId,
    /// The collection.
    pub collection: CollectionId,
    /// The document's file name.
    pub filename: String,
    /// The document's metadata.
    pub metadata: Value,
}

impl Passage {
    /// Document and headings, as a person would cite it.
    pub fn title(&self) -> String {
        match &self.chunk.title {
            Some(heading) => format!("{} › {heading}", self.filename),
            None => self.filename.clone(),
        }
    }
}
