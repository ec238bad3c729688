//! The kinds: a new one is one file here and one line in `registry`.

mod answer_turn;
mod backfill_chunks;
mod build_vectors;
mod delete_collection;
mod delete_document;
mod drop_vectors;
mod embed_chunks;
mod embed_texts;
mod index_document;
mod ingest_document;
mod noop;
mod reconcile;
mod remove_blob;
mod remove_version;
mod run_upkeep;

pub use answer_turn::AnswerTurn;
pub use backfill_chunks::BackfillChunks;
pub use build_vectors::BuildVectors;
pub use delete_collection::DeleteCollection;
pub use delete_document::DeleteDocument;
pub use drop_vectors::DropVectors;
pub use embed_chunks::EmbedChunks;
pub use embed_texts::EmbedTexts;
pub use index_document::IndexDocument;
pub use ingest_document::IngestDocument;
pub use noop::Noop;
pub use reconcile::Reconcile;
pub use remove_blob::RemoveBlob;
pub use remove_version::RemoveVersion;
pub use run_upkeep::{RunUpkeep, UpkeepTask};

use crate::Registry;

/// Every kind that there is.
pub fn registry() -> Registry {
    Registry::default()
        .with::<AnswerTurn>()
        .with::<BackfillChunks>()
        .with::<BuildVectors>()
        .with::<DeleteCollection>()
        .with::<DeleteDocument>()
        .with::<DropVectors>()
        .with::<EmbedChunks>()
        .with::<EmbedTexts>()
        .with::<IndexDocument>()
        .with::<IngestDocument>()
        .with::<Noop>()
        .with::<Reconcile>()
        .with::<RemoveBlob>()
        .with::<RemoveVersion>()
        .with::<RunUpkeep>()
}
