//! `document_chunks`: the passages of a document. Those of one version never change; which version answers does.

use super::{Memo, count};
use crate::{Chunk, DocumentId, PortResult, Tenant, VersionId};
use futures::join;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const NAME: &str = "document_chunks";
const TTL: Duration = Duration::from_hours(2);
/// Documents of more passages are read page by page: to carry all of them costs more than to read a page.
const MOST: u32 = 100;
/// How often a version that is replaced while it is read is read again.
const TRIES: usize = 3;

fn key(document: DocumentId) -> String {
    format!("chunks:{document}")
}

/// A version's passages; `None`: they are too many.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: VersionId,
    chunks: Option<Vec<Chunk>>,
}

impl Memo<'_> {
    /// All passages of the version of a document that answers now, in order; `None` if they are too many to be kept.
    /// `NotFound` if there is no such document.
    pub async fn chunks(self, tenant: &Tenant, document: DocumentId) -> PortResult<Option<Vec<Chunk>>> {
        let key = key(document);
        let (live, copy) = join!(self.store.live_version(tenant, document), self.read::<Kept>(&key));
        let live = live?;
        let copy = copy.filter(|copy| live == Some(copy.version));
        count(NAME, copy.is_some());
        match copy {
            Some(copy) => Ok(copy.chunks),
            None => self.read_chunks(tenant, document, live).await,
        }
    }

    async fn read_chunks(
        self,
        tenant: &Tenant,
        document: DocumentId,
        mut live: Option<VersionId>,
    ) -> PortResult<Option<Vec<Chunk>>> {
        for _ in 0..TRIES {
            let Some(version) = live else { return Ok(Some(Vec::new())) };
            let chunks = self.store.chunk_range(version, 0, MOST + 1).await?;
            // A version that was replaced meanwhile may have been removed before it was read.
            live = self.store.live_version(tenant, document).await?;
            if live == Some(version) {
                let kept = Kept { version, chunks: (chunks.len() <= MOST as usize).then_some(chunks) };
                self.keep(&key(document), &kept, TTL).await;
                return Ok(kept.chunks);
            }
        }
        Ok(None)
    }

    /// Drops what is kept of a deleted document. It cannot be found any more anyhow; what it holds need not stay.
    pub async fn forget_chunks(self, document: DocumentId) {
        self.cache.forget(&key(document)).await;
    }
}
