use async_trait::async_trait;
use bytes::Bytes;
use chat_core::{
    ErrorKind, JobId, Lane, Limit, PortError, PortResult, Ready, Standing, Tenant, Timestamp,
    ports::{
        Announced, Blobs, ByteStream, Cache, Lanes, Limiter, Listed, ParseInput, ParsedText, Parser, Taken,
        TextFormat, Work,
    },
};
use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Files in memory, written once.
#[derive(Default)]
pub struct FakeBlobs {
    files: Mutex<BTreeMap<String, Bytes>>,
    /// When every file was written.
    pub written: Mutex<Option<Timestamp>>,
}

impl FakeBlobs {
    /// The keys that there are.
    pub fn keys(&self) -> Vec<String> {
        self.files.lock().unwrap().keys().cloned().collect()
    }

    /// Removes all.
    pub fn clear(&self) {
        self.files.lock().unwrap().clear();
    }

    /// Stores bytes without a stream.
    pub fn insert(&self, key: &str, bytes: impl Into<Bytes>) {
        self.files.lock().unwrap().insert(key.into(), bytes.into());
    }

    /// The text under a key.
    pub fn text(&self, key: &str) -> String {
        String::from_utf8(self.files.lock().unwrap()[key].to_vec()).unwrap()
    }
}

#[async_trait]
impl Blobs for FakeBlobs {
    async fn put(&self, key: &str, bytes: ByteStream) -> PortResult<u64> {
        let whole: Vec<Bytes> = bytes.try_collect().await?;
        let whole = Bytes::from(whole.concat());
        let mut blobs = self.files.lock().unwrap();
        if blobs.contains_key(key) {
            return Err(PortError::new(ErrorKind::Conflict, "a blob is written once"));
        }
        let length = whole.len() as u64;
        blobs.insert(key.into(), whole);
        Ok(length)
    }

    async fn get(&self, key: &str, _range: Option<Range<u64>>) -> PortResult<ByteStream> {
        let bytes =
            self.files.lock().unwrap().get(key).cloned().ok_or_else(|| PortError::not_found("the blob"))?;
        let pieces: Vec<_> = bytes.chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        Ok(stream::iter(pieces).boxed())
    }

    async fn size(&self, key: &str) -> PortResult<u64> {
        let blobs = self.files.lock().unwrap();
        blobs.get(key).map(|bytes| bytes.len() as u64).ok_or_else(|| PortError::not_found("the blob"))
    }

    async fn delete(&self, key: &str) -> PortResult<()> {
        self.files.lock().unwrap().remove(key);
        Ok(())
    }

    fn list(&self, segment: &str) -> BoxStream<'static, PortResult<Listed>> {
        let written = self.written.lock().unwrap().unwrap_or(Timestamp(0));
        let listed = self.keys().into_iter().filter(|key| key.starts_with(&format!("{segment}/")));
        let listed: Vec<_> = listed.map(|key| Ok(Listed { key, written })).collect();
        stream::iter(listed).boxed()
    }

    async fn ping(&self) -> PortResult<()> {
        Ok(())
    }
}

/// Reads UTF-8; anything else is no text.
pub struct FakeParser;

#[async_trait]
impl Parser for FakeParser {
    async fn parse(&self, input: ParseInput) -> PortResult<ParsedText> {
        let text = String::from_utf8(input.bytes.to_vec())
            .map_err(|_| PortError::invalid(format!("{} is no text", input.filename)))?;
        Ok(ParsedText {
            text,
            format: TextFormat::Markdown,
            media_type: "text/markdown".into(),
            charset: "UTF-8".into(),
            title: None,
        })
    }
}

/// A cache that keeps everything, for ever.
#[derive(Default)]
pub struct FakeCache(Mutex<BTreeMap<String, Arc<str>>>);

impl FakeCache {
    /// All that it holds.
    pub fn entries(&self) -> Vec<(String, Arc<str>)> {
        self.0.lock().unwrap().clone().into_iter().collect()
    }
}

#[async_trait]
impl Cache for FakeCache {
    async fn get(&self, key: &str) -> Option<Arc<str>> {
        self.0.lock().unwrap().get(key).cloned()
    }

    async fn put(&self, key: &str, value: Arc<str>, _ttl: Duration) {
        self.0.lock().unwrap().insert(key.into(), value);
    }

    async fn forget(&self, key: &str) {
        self.0.lock().unwrap().remove(key);
    }
}

/// No lanes: tests take jobs from the rows.
pub struct FakeLanes;

#[async_trait]
impl Lanes for FakeLanes {
    fn has_room(&self, _lane: Lane) -> bool {
        false
    }

    async fn offer(&self, _ready: Ready) {}

    async fn take(&self, _lane: Lane, _max: usize) -> PortResult<Work> {
        std::future::pending().await
    }

    fn backlog(&self, _lane: Lane) {}

    fn drained(&self, _lane: Lane, _announced: Announced) {}

    fn due(&self, _at: Timestamp) {}

    async fn due_before(&self, _known: Option<Timestamp>) {
        std::future::pending::<()>().await;
    }

    fn set_slots(&self, _lane: Lane, _slots: usize) {}

    async fn ping(&self) -> PortResult<()> {
        Ok(())
    }
}

/// Counts nothing: handlers say what was used, and the engine counts it.
pub struct FakeLimiter;

#[async_trait]
impl Limiter for FakeLimiter {
    async fn take(&self, _: &Tenant, _: &[Limit]) -> Taken {
        unreachable!("handlers count no requests")
    }

    async fn look(&self, _: &Tenant, _: &[Limit]) -> Vec<Standing> {
        unreachable!("handlers look at no limits")
    }

    async fn spend(&self, _: &Tenant, _: &[Limit], _: u64, _: JobId) {
        unreachable!("handlers count no tokens")
    }
}
