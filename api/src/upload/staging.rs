//! One file on its way into the blob store.

use super::too_large;
use crate::{problem::Problem, state::AppState};
use bytes::Bytes;
use chat_core::{ErrorKind, PortError, PortResult, Tenant, Upload, VersionId, ports::Blobs};
use chat_jobs::upload_blob;
use futures::{StreamExt, stream};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::task::TaskTracker;

/// How many pieces may wait for the blob store.
const AHEAD: usize = 4;

enum Piece {
    Bytes(Bytes),
    /// The file is whole. Without it, a sender that goes away means a broken upload.
    End,
}

/// A file that is being read. Dropping it removes what was stored.
pub struct Staging {
    pieces: mpsc::Sender<Piece>,
    hash: Sha256,
    blob: Staged,
}

/// A stored file. Unless it is kept, dropping it removes it.
pub struct Staged {
    /// Which version of a document it will be.
    pub version: VersionId,
    /// Where it is.
    pub key: String,
    /// How many bytes.
    pub bytes: u64,
    /// SHA-256, in hex; empty until the file is whole.
    pub sha256: String,
    keep: bool,
    /// The write that may still be under way.
    put: Option<JoinHandle<PortResult<u64>>>,
    blobs: Arc<dyn Blobs>,
    tasks: TaskTracker,
}

/// A stored file with what the caller said of it.
pub struct StagedFile {
    /// Its bytes.
    pub blob: Staged,
    /// Its name, made safe.
    pub filename: String,
    /// What sort of file it is.
    pub media_type: String,
    /// The character set that the caller insists on.
    pub charset: Option<String>,
}

impl StagedFile {
    /// As a version keeps it.
    pub fn upload(&self) -> Upload {
        Upload {
            filename: self.filename.clone(),
            media_type: self.media_type.clone(),
            charset: self.charset.clone(),
            bytes: self.blob.bytes,
            sha256: self.blob.sha256.clone(),
            blob: self.blob.key.clone(),
        }
    }
}

impl Staging {
    /// Begins to store a file. The write is a task of its own: it ends, and cleans up, even if the client hangs up.
    pub fn begin(state: &AppState, tenant: &Tenant) -> Self {
        let version = VersionId::new();
        let key = upload_blob(tenant, version);
        let (pieces, receiver) = mpsc::channel(AHEAD);
        let (blobs, name) = (state.ports.blobs.clone(), key.clone());
        let put = state.tasks.spawn(async move { blobs.put(&name, bytes_of(receiver).boxed()).await });
        let blob = Staged {
            version,
            key,
            bytes: 0,
            sha256: String::new(),
            keep: false,
            put: Some(put),
            blobs: state.ports.blobs.clone(),
            tasks: state.tasks.clone(),
        };
        Self { pieces, hash: Sha256::new(), blob }
    }

    /// Takes the next bytes in; 413 as soon as there are too many.
    pub async fn write(&mut self, state: &AppState, piece: Bytes) -> Result<(), Problem> {
        self.blob.bytes += piece.len() as u64;
        if self.blob.bytes > state.options.max_upload_bytes {
            return Err(too_large(state));
        }
        self.hash.update(&piece);
        match self.pieces.send(Piece::Bytes(piece)).await {
            Ok(()) => Ok(()),
            // The store gave up, and knows why.
            Err(_) => Err(self.blob.stored().await.err().unwrap_or_else(gave_up).into()),
        }
    }

    /// Waits until the file is stored.
    pub async fn finish(mut self) -> Result<Staged, Problem> {
        // If the store is gone already, its task says why.
        let _ = self.pieces.send(Piece::End).await;
        let stored = self.blob.stored().await?;
        if stored != self.blob.bytes {
            return Err(PortError::internal("the blob store did not take all bytes").into());
        }
        self.blob.sha256 = hex::encode(self.hash.finalize());
        Ok(self.blob)
    }
}

impl Staged {
    async fn stored(&mut self) -> PortResult<u64> {
        let Some(put) = &mut self.put else {
            return Err(gave_up());
        };
        let stored = put
            .await
            .unwrap_or_else(|error| Err(PortError::internal("storing a file panicked").with_source(error)));
        self.put = None;
        stored
    }

    /// Whether to keep the file when this is dropped.
    pub fn keep(&mut self, keep: bool) {
        self.keep = keep;
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        let (blobs, key, put) = (self.blobs.clone(), std::mem::take(&mut self.key), self.put.take());
        self.tasks.spawn(async move {
            if let Some(put) = put {
                // It ends soon: its input has.
                let _ = put.await;
            }
            if let Err(error) = blobs.delete(&key).await {
                tracing::warn!(%error, blob = key, "a file that nobody needs was left behind");
            }
        });
    }
}

fn gave_up() -> PortError {
    PortError::internal("the blob store stopped reading")
}

/// The bytes until the end; an error if the sender goes away before.
fn bytes_of(pieces: mpsc::Receiver<Piece>) -> impl futures::Stream<Item = PortResult<Bytes>> + Send {
    stream::unfold(Some(pieces), |pieces| async {
        let mut pieces = pieces?;
        match pieces.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(pieces))),
            Some(Piece::End) => None,
            None => Some((Err(PortError::new(ErrorKind::Invalid, "the upload broke off")), None)),
        }
    })
}
