use chat_core::{Chunk, ChunkId, DocumentId};
use serde::Serialize;
use utoipa::ToSchema;

/// A passage of a document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Chunk)]
pub struct ChunkView {
    /// Its id.
    #[schema(value_type = String)]
    id: ChunkId,
    /// `chunk`.
    #[schema(example = "chunk")]
    object: &'static str,
    /// The document.
    #[schema(value_type = String)]
    document_id: DocumentId,
    /// Its place in the document, from 0.
    ordinal: u32,
    /// The headings above it.
    title: Option<String>,
    /// Its text.
    text: String,
    /// Where it begins in the document's text (`/content?format=text`), in characters.
    start: u64,
    /// Where it ends, in characters, exclusive.
    end: u64,
    /// Its length in tokens.
    tokens: u32,
}

impl ChunkView {
    /// A passage of this document.
    pub fn of(document: DocumentId, chunk: Chunk) -> Self {
        Self {
            id: chunk.id,
            object: "chunk",
            document_id: document,
            ordinal: chunk.ordinal,
            title: chunk.title,
            text: chunk.text,
            start: chunk.start,
            end: chunk.end,
            tokens: chunk.tokens,
        }
    }
}
