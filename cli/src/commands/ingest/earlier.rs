//! What earlier runs left in a collection: a file that changed since then takes the place of its own text.

use super::files::SourceFile;
use crate::client::{Client, ClientError, StoredDocument};
use futures::{StreamExt, stream};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, fs::File, io, path::Path};

/// Files that are compared at a time.
const COMPARED: usize = 4;

/// A file, and the document whose content it replaces, if it is one of an earlier run and changed since.
#[derive(Debug, Clone)]
pub struct Work {
    /// The file.
    pub file: SourceFile,
    /// The document's id.
    pub replaces: Option<String>,
}

/// What is to be done with these files in a collection that was there before.
pub async fn compare(
    client: &Client,
    collection: &str,
    files: Vec<SourceFile>,
) -> Result<Vec<Work>, ClientError> {
    let mut known = by_source(client.documents(collection).await?);
    // Two names of one file are one source: the first of them has it.
    let claimed: Vec<_> = files
        .into_iter()
        .map(|file| {
            let before = known.remove(&file.source);
            (file, before)
        })
        .collect();
    let work = stream::iter(claimed).map(|(file, before)| async move {
        let replaces = match before {
            Some(before) if differs(&file, &before).await => Some(before.id),
            _ => None,
        };
        Work { file, replaces }
    });
    Ok(work.buffered(COMPARED).collect().await)
}

/// The newest document of each source. Those of other programs have none.
fn by_source(documents: Vec<StoredDocument>) -> HashMap<String, StoredDocument> {
    let mut known = HashMap::new();
    for document in documents {
        if let Some(source) = document.metadata["source"].as_str().map(str::to_owned) {
            known.entry(source).or_insert(document);
        }
    }
    known
}

/// A file that cannot be read is told when it is sent.
async fn differs(file: &SourceFile, before: &StoredDocument) -> bool {
    if file.bytes != before.bytes {
        return true;
    }
    let path = file.path.clone();
    let hashed = tokio::task::spawn_blocking(move || sha256(&path)).await;
    matches!(hashed, Ok(Ok(sha256)) if sha256 != before.sha256)
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hex::encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_document_of_a_source_counts() {
        let stored = |id: &str, metadata| StoredDocument {
            id: id.to_owned(),
            bytes: 1,
            sha256: String::new(),
            metadata,
        };
        let known = by_source(vec![
            stored("newer", json!({"source": "/a"})),
            stored("older", json!({"source": "/a"})),
            stored("another program's", json!({"path": "b"})),
        ]);
        assert_eq!(known.len(), 1, "{known:?}");
        assert_eq!(known["/a"].id, "newer");
    }
}
