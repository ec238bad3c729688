//! Blobs as files under one folder.

mod listing;
mod staging;

use async_trait::async_trait;
use bytes::Bytes;
use chat_core::{
    BLOB_STAGING as STAGING, ErrorKind, PortError, PortResult, check_blob_key,
    ports::{Blobs, ByteStream, Listed},
};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use staging::Staged;
use std::{
    io::{self, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

/// How much a reader gets at once.
const PIECE: usize = 64 * 1024;

/// Files under a folder. A blob is written to `tmp/`, synced, and renamed: it is there whole or not at all.
#[derive(Debug, Clone)]
pub struct FileBlobs {
    root: PathBuf,
}

impl FileBlobs {
    /// Opens the folder, makes it if need be, and removes what an earlier process left half written.
    /// One process at a time may have it open.
    pub fn open(root: impl Into<PathBuf>) -> PortResult<Self> {
        let root = root.into();
        let staging = root.join(STAGING);
        match std::fs::remove_dir_all(&staging) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(error, "emptying the folder"));
            }
            _ => {}
        }
        std::fs::create_dir_all(&staging).map_err(|error| failed(error, "making the folder"))?;
        Ok(Self { root })
    }

    fn path(&self, key: &str) -> PortResult<PathBuf> {
        check_blob_key(key)?;
        Ok(self.root.join(key))
    }
}

/// What an I/O error means to a caller. The path is left to the source: it says nothing to a client.
fn failed(error: io::Error, doing: &str) -> PortError {
    let (kind, why) = match error.kind() {
        io::ErrorKind::NotFound => (ErrorKind::NotFound, "there is no such file"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (ErrorKind::Unavailable, "the disk is full")
        }
        io::ErrorKind::InvalidFilename => (ErrorKind::Invalid, "the name is not possible"),
        _ => (ErrorKind::Unavailable, "the disk cannot be used"),
    };
    PortError::new(kind, format!("{doing} failed: {why}")).with_source(error)
}

/// Runs work that blocks where it may.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
    doing: &'static str,
) -> PortResult<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| failed(error, doing)),
        Err(error) => Err(PortError::internal(format!("{doing} failed")).with_source(error)),
    }
}

#[async_trait]
impl Blobs for FileBlobs {
    async fn put(&self, key: &str, mut bytes: ByteStream) -> PortResult<u64> {
        let target = self.path(key)?;
        let mut staged = Staged::create(&self.root.join(STAGING)).await?;
        while let Some(piece) = bytes.next().await {
            staged.write(&piece?).await?;
        }
        staged.publish(target).await
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> PortResult<ByteStream> {
        let path = self.path(key)?;
        let mut file = tokio::fs::File::open(&path).await.map_err(|error| failed(error, "opening a file"))?;
        let size = file.metadata().await.map_err(|error| failed(error, "reading a file"))?.len();
        let range = range.unwrap_or(0..size);
        if range.start > size || range.start > range.end {
            return Err(PortError::invalid(format!(
                "the range does not lie within the {size} bytes of the file"
            )));
        }
        if range.start > 0 {
            file.seek(SeekFrom::Start(range.start)).await.map_err(|error| failed(error, "reading a file"))?;
        }
        let pieces = ReaderStream::with_capacity(file.take(range.end.min(size) - range.start), PIECE);
        Ok(pieces.map_ok(Bytes::from).map_err(|error| failed(error, "reading a file")).boxed())
    }

    async fn size(&self, key: &str) -> PortResult<u64> {
        let path = self.path(key)?;
        let about = tokio::fs::metadata(path).await.map_err(|error| failed(error, "reading a file"))?;
        if about.is_file() { Ok(about.len()) } else { Err(PortError::not_found("the file")) }
    }

    async fn delete(&self, key: &str) -> PortResult<()> {
        let (path, root) = (self.path(key)?, self.root.clone());
        off_thread(move || remove(&path, &root), "deleting a file").await
    }

    fn list(&self, segment: &str) -> BoxStream<'static, PortResult<Listed>> {
        listing::list(self.root.clone(), segment.to_owned())
    }

    async fn ping(&self) -> PortResult<()> {
        let staging = self.root.join(STAGING);
        tokio::fs::metadata(staging).await.map(drop).map_err(|error| failed(error, "looking at the folder"))
    }
}

/// Removes a file, and the folders above it that are empty now.
fn remove(path: &Path, root: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        done => done?,
    }
    let mut above = path.parent();
    while let Some(folder) = above.filter(|folder| *folder != root) {
        if std::fs::remove_dir(folder).is_err() {
            break; // not empty
        }
        above = folder.parent();
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
