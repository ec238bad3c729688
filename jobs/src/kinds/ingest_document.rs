//! Reads an uploaded version, cuts it into passages, and has them embedded.

use crate::{
    Done, EmbedChunks, Ending, IndexDocument, JobContext, JobError, JobKind,
    documents::{current, end_version, renew, text_blob},
};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use chat_core::{
    Change, Chunk, ChunkId, DocumentId, DocumentStatus, ErrorKind, Lane, NewJob, PortError, PortResult,
    RetryPolicy, Tenant, Unique, Version, VersionId,
    ports::{ParseInput, ParsedText},
    text,
};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How many passages are written in one transaction: whole rows of keyword search.
const ROWS: usize = 3 * text::PASSAGES_PER_ROW as usize;
/// How many passages one child job embeds.
const CHILD: u32 = 64;

/// Reads an uploaded version and cuts it into passages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IngestDocument {
    /// The version.
    pub version: VersionId,
}

impl IngestDocument {
    /// The job that takes in a version of a document, of `bytes` bytes.
    pub fn job_of(self, tenant: &Tenant, document: DocumentId, bytes: u64) -> NewJob {
        let unique = Unique { key: format!("ingest:{}", self.version), while_unfinished: true };
        NewJob { document: Some(document), cost: bytes as f64, unique: Some(unique), ..self.job(tenant) }
    }
}

#[async_trait]
impl JobKind for IngestDocument {
    const KIND: &'static str = "ingest_document.v1";
    const LANE: Lane = Lane::Ingest;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 3, base: Duration::from_secs(2), cap: Duration::from_mins(1) };
    const TIMEOUT: Duration = Duration::from_mins(10);
    const WAITS: bool = true;

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        let Some(version) = current(cx, self.version).await? else { return Ok(Done::default()) };
        if version.status.is_final() {
            return renew(cx, &version).await;
        }
        let text = parse(cx, &version).await?;
        let total = keep_passages(cx, &version, text).await?;
        if current(cx, self.version).await?.is_none() {
            // Deleted meanwhile: the job that removes it may have been here before the text was.
            cx.ports.blobs.delete(&text_blob(&version.tenant, version.id)).await?;
            return Ok(Done::default());
        }
        let mut changes = vec![stage(&version, DocumentStatus::Embedding, 0, total.into())];
        changes.extend(embedding(&version, total).into_iter().map(|job| Change::Enqueue(Box::new(job))));
        Ok(Done::with(changes))
    }

    async fn end(&self, cx: &JobContext, ending: &Ending) -> PortResult<Done> {
        end_version(cx, self.version, ending).await
    }
}

fn stage(version: &Version, stage: DocumentStatus, done: u64, total: u64) -> Change {
    Change::VersionStage { version: version.id, stage, done, total }
}

/// Bytes to text; the text is kept, since the offsets of passages point into it.
async fn parse(cx: &JobContext, version: &Version) -> PortResult<ParsedText> {
    let size = version.upload.bytes;
    cx.commit(vec![stage(version, DocumentStatus::Parsing, 0, size)]).await?;
    let upload = &version.upload;
    let input = ParseInput {
        bytes: read(cx, &upload.blob, size).await?,
        filename: upload.filename.clone(),
        media_type: Some(upload.media_type.clone()).filter(|media_type| !media_type.is_empty()),
        charset: upload.charset.clone(),
    };
    let parsed = cx.ports.parser.parse(input).await?;
    let blob = text_blob(&version.tenant, version.id);
    let bytes = Bytes::from(parsed.text.clone());
    match cx.ports.blobs.put(&blob, stream::once(async move { Ok(bytes) }).boxed()).await {
        // An earlier attempt was here: the same file has the same text.
        Err(error) if error.kind != ErrorKind::Conflict => return Err(error),
        _ => {}
    }
    cx.commit(vec![
        Change::VersionParsed {
            version: version.id,
            charset: parsed.charset.clone(),
            media_type: parsed.media_type.clone(),
            text_blob: blob,
        },
        stage(version, DocumentStatus::Chunking, 0, size),
    ])
    .await?;
    Ok(parsed)
}

async fn read(cx: &JobContext, blob: &str, size: u64) -> PortResult<Bytes> {
    let gone = |error: PortError| match error.kind {
        ErrorKind::NotFound => {
            PortError::invalid("the uploaded file is not there any more").with_source(error)
        }
        _ => error,
    };
    let mut pieces = cx.ports.blobs.get(blob, None).await.map_err(gone)?;
    let mut bytes = BytesMut::with_capacity(size as usize);
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece.map_err(gone)?);
        if bytes.len() as u64 > size {
            return Err(PortError::invalid("the stored file is longer than the file that was uploaded"));
        }
    }
    if (bytes.len() as u64) < size {
        return Err(PortError::new(ErrorKind::Protocol, "the stored file ended early"));
    }
    Ok(bytes.freeze())
}

/// Cuts the text and writes the passages; returns how many there are.
async fn keep_passages(cx: &JobContext, version: &Version, parsed: ParsedText) -> PortResult<u32> {
    let options = cx.options.chunk;
    let cut = tokio::task::spawn_blocking(move || text::chunk(&parsed.text, parsed.format, options)).await;
    let passages = cut.map_err(|error| PortError::internal("cutting the text failed").with_source(error))?;
    if passages.is_empty() {
        return Err(PortError::invalid("the file holds no text that could be searched"));
    }
    let (total, model) = (passages.len(), cx.ports.embedder.model().to_owned());
    let mut done = 0;
    for batch in passages.chunks(ROWS) {
        done += batch.len();
        let chunks = batch.iter().map(|passage| row(version.id, passage, &model)).collect();
        cx.commit(vec![
            Change::InsertChunks { version: version.id, chunks },
            stage(version, DocumentStatus::Chunking, done as u64, total as u64),
        ])
        .await?;
    }
    Ok(total as u32)
}

fn row(version: VersionId, passage: &text::Chunk, model: &str) -> Chunk {
    Chunk {
        id: ChunkId::of(version, passage.ordinal, model),
        ordinal: passage.ordinal,
        title: passage.title.clone(),
        text: passage.text.clone(),
        start: passage.start as u64,
        end: passage.end as u64,
        tokens: passage.tokens,
    }
}

/// The job that joins, and the children that it waits for.
pub(super) fn embedding(version: &Version, total: u32) -> Vec<NewJob> {
    let mut parent = IndexDocument { version: version.id }.job(&version.tenant);
    parent.document = Some(version.document);
    parent.pending_children = total.div_ceil(CHILD);
    let id = parent.id;
    let children = (0..total).step_by(CHILD as usize).map(|from| {
        let to = total.min(from + CHILD);
        let mut child = EmbedChunks { version: version.id, from, to }.job(&version.tenant);
        (child.document, child.parent, child.cost) = (Some(version.document), Some(id), f64::from(to - from));
        child
    });
    std::iter::once(parent).chain(children).collect()
}
