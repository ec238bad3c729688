use chat_core::{Collection, CollectionId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A set of documents that are searched together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Collection)]
pub struct CollectionView {
    /// Its id.
    #[schema(value_type = String)]
    id: CollectionId,
    /// `collection`.
    #[schema(example = "collection")]
    object: &'static str,
    /// What to call it; one of a kind.
    name: String,
    /// The caller's own data.
    #[schema(value_type = Object)]
    metadata: Value,
    /// How many documents it holds.
    document_count: u64,
    /// How many passages can be found in it.
    chunk_count: u64,
    /// Bytes as uploaded.
    bytes: u64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Collection> for CollectionView {
    fn from(collection: Collection) -> Self {
        Self {
            id: collection.id,
            object: "collection",
            name: collection.name,
            metadata: collection.metadata,
            document_count: collection.document_count,
            chunk_count: collection.chunk_count,
            bytes: collection.bytes,
            created_at: collection.created_at,
            updated_at: collection.updated_at,
        }
    }
}
