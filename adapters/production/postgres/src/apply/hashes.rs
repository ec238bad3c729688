//! Whose bytes are whose: identical bytes in a collection are one document.

use super::{Tx, commit::Failed};
use chat_core::{DocumentId, ErrorKind, PortError, VersionId};
use uuid::Uuid;

/// Bytes that another document of the collection answers with are that document, even while it is being replaced. Those
/// that are to answer are kept apart by the index on `documents.sha256`.
pub(super) async fn refuse_twin(
    tx: &mut Tx<'_>,
    document: DocumentId,
    collection: Uuid,
    sha256: &str,
) -> Result<(), Failed> {
    let twin = sqlx::query_scalar!(
        "SELECT d.id FROM document_versions v JOIN documents d ON d.live_version = v.id
         WHERE v.sha256 = $1 AND d.collection = $2 AND NOT d.hidden AND d.id <> $3",
        sha256,
        collection,
        document.0
    )
    .fetch_optional(&mut *tx.conn)
    .await?;
    match twin {
        None => Ok(()),
        Some(_) => Err(PortError::new(ErrorKind::Conflict, "another document has these bytes").into()),
    }
}

/// The bytes by which a document is found again are those of its newest version, unless that was given up while
/// another one answers: then they are that one's, and the others are free again.
pub(super) async fn settle_hash(tx: &mut Tx<'_>, version: VersionId) -> Result<(), Failed> {
    run!(
        tx,
        "UPDATE documents SET sha256 = wanted.sha256
         FROM (SELECT d.id AS document, v.sha256
               FROM documents d JOIN document_versions newest ON newest.id = d.newest
               JOIN document_versions v ON v.id = CASE WHEN newest.status IN ('failed', 'cancelled')
                   THEN coalesce(d.live_version, d.newest) ELSE d.newest END
               WHERE d.id = (SELECT document FROM document_versions WHERE id = $1)) AS wanted
         WHERE documents.id = wanted.document AND documents.sha256 <> wanted.sha256
           AND NOT EXISTS (SELECT 1 FROM documents twin WHERE twin.collection = documents.collection
                           AND twin.sha256 = wanted.sha256 AND NOT twin.hidden)",
        version.0
    );
    Ok(())
}
