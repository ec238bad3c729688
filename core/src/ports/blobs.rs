use crate::{PortResult, Timestamp};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use std::{ops::Range, time::Duration};

/// A stream of bytes.
pub type ByteStream = BoxStream<'static, PortResult<Bytes>>;

/// How a file is given out by whoever keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The `Content-Disposition`: whether it is saved or shown, and its name.
    pub disposition: String,
    /// The `Content-Type`.
    pub media_type: String,
    /// How long the address is good.
    pub lifetime: Duration,
}

/// A blob that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// When it was written.
    pub written: Timestamp,
}

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
    /// Every blob whose key begins with this segment. What is written or removed meanwhile may be missed.
    fn list(&self, segment: &str) -> BoxStream<'static, PortResult<Listed>>;
    /// An address from which whoever has it can read a blob, ranges of it too, as long as the offer is good. `None`: the
    /// store has no such addresses. Whether the blob is there is not looked at.
    async fn address(&self, _key: &str, _offer: &Offer) -> PortResult<Option<String>> {
        Ok(None)
    }
    /// Whether the store answers.
    async fn ping(&self) -> PortResult<()>;
}
