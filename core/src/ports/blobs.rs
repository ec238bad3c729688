use crate::PortResult;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use std::ops::Range;

/// A stream of bytes.
pub type ByteStream = BoxStream<'static, PortResult<Bytes>>;

/// Files. A blob is written once, whole or not at all, and never changed.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores what the stream yields under `key` (segments of `[A-Za-z0-9_-]` joined by `/`). If the stream fails,
    /// its error is returned and nothing is left behind. Returns the number of bytes.
    async fn put(&self, key: &str, bytes: ByteStream) -> PortResult<u64>;
    /// Streams a blob, or a range of its bytes. `NotFound` if it is not there.
    async fn get(&self, key: &str, range: Option<Range<u64>>) -> PortResult<ByteStream>;
    /// How many bytes a blob has.
    async fn size(&self, key: &str) -> PortResult<u64>;
    /// Removes a blob; one that is not there is no error.
    async fn delete(&self, key: &str) -> PortResult<()>;
    /// Whether the store answers.
    async fn ping(&self) -> PortResult<()>;
}
