//! Uploads: a small file with one request, a large one in parts as it arrives. Nothing of it is there before all is.

use crate::{S3Blobs, error::port_error};
use aws_sdk_s3::{
    primitives::ByteStream as Body,
    types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart},
};
use bytes::{Bytes, BytesMut};
use chat_core::{PortError, PortResult, ports::ByteStream};
use futures::StreamExt;
use tokio::task::JoinSet;

/// The bytes of a part: more than the least that S3 takes (5 MiB), and a file may have 10,000 of them.
const PART: usize = 8 * 1024 * 1024;
/// How many parts are under way at a time; each holds its bytes.
const ABREAST: usize = 2;

/// Stores what the stream yields; the number of bytes. If the stream fails nothing stays behind.
pub(crate) async fn put(blobs: &S3Blobs, key: &str, mut bytes: ByteStream) -> PortResult<u64> {
    let (first, more) = part(&mut bytes, BytesMut::new()).await?;
    let Some(rest) = more else {
        let length = first.len() as u64;
        let request = blobs.client.put_object().bucket(&blobs.bucket).key(key);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32).body(Body::from(first));
        request.send().await.map_err(|error| port_error(error, "storing a file"))?;
        return Ok(length);
    };
    let mut upload = Upload::begin(blobs, key).await?;
    match upload.send_all(bytes, first, rest).await {
        Ok(length) => Ok(length),
        Err(error) => {
            upload.abort().await;
            Err(error)
        }
    }
}

/// Collects a part; what is left over if there is more to come.
async fn part(bytes: &mut ByteStream, mut collected: BytesMut) -> PortResult<(Bytes, Option<BytesMut>)> {
    while collected.len() < PART {
        match bytes.next().await {
            Some(piece) => collected.extend_from_slice(&piece?),
            None => return Ok((collected.freeze(), None)),
        }
    }
    let rest = collected.split_off(PART);
    Ok((collected.freeze(), Some(rest)))
}

/// An upload in parts.
pub(crate) struct Upload {
    blobs: S3Blobs,
    key: String,
    id: String,
    under_way: JoinSet<PortResult<CompletedPart>>,
    done: Vec<CompletedPart>,
    /// Completed or aborted.
    ended: bool,
}

impl Upload {
    /// An upload that somebody else began.
    pub(crate) fn of(blobs: &S3Blobs, key: &str, id: &str) -> Self {
        let (blobs, key, id) = (blobs.clone(), key.to_owned(), id.to_owned());
        Self { blobs, key, id, under_way: JoinSet::new(), done: Vec::new(), ended: false }
    }

    async fn begin(blobs: &S3Blobs, key: &str) -> PortResult<Self> {
        let request = blobs.client.create_multipart_upload().bucket(&blobs.bucket).key(key);
        let begun = request.checksum_algorithm(ChecksumAlgorithm::Crc32).send().await;
        let begun = begun.map_err(|error| port_error(error, "storing a file"))?;
        let id = begun.upload_id().ok_or_else(|| PortError::internal("the file store names no upload"))?;
        Ok(Self::of(blobs, key, id))
    }

    async fn send_all(&mut self, mut bytes: ByteStream, first: Bytes, mut rest: BytesMut) -> PortResult<u64> {
        let mut length = first.len() as u64;
        self.send(1, first).await?;
        for number in 2.. {
            let (part, more) = part(&mut bytes, rest).await?;
            length += part.len() as u64;
            if !part.is_empty() {
                self.send(number, part).await?;
            }
            match more {
                Some(more) => rest = more,
                None => break,
            }
        }
        self.complete().await?;
        Ok(length)
    }

    /// Sends a part beside the others, as soon as there is a place.
    async fn send(&mut self, number: i32, bytes: Bytes) -> PortResult<()> {
        while self.under_way.len() >= ABREAST {
            self.next_done().await?;
        }
        let request = self.blobs.client.upload_part().bucket(&self.blobs.bucket).key(&self.key);
        let request = request.upload_id(&self.id).part_number(number);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32).body(Body::from(bytes));
        self.under_way.spawn(async move {
            let sent = request.send().await.map_err(|error| port_error(error, "storing a file"))?;
            Ok(CompletedPart::builder()
                .part_number(number)
                .set_e_tag(sent.e_tag)
                .set_checksum_crc32(sent.checksum_crc32)
                .build())
        });
        Ok(())
    }

    async fn next_done(&mut self) -> PortResult<()> {
        if let Some(done) = self.under_way.join_next().await {
            self.done.push(done.map_err(|error| PortError::internal(error.to_string()))??);
        }
        Ok(())
    }

    async fn complete(&mut self) -> PortResult<()> {
        while !self.under_way.is_empty() {
            self.next_done().await?;
        }
        self.done.sort_by_key(CompletedPart::part_number);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.done.clone())).build();
        let request = self.blobs.client.complete_multipart_upload().bucket(&self.blobs.bucket);
        let request = request.key(&self.key).upload_id(&self.id).multipart_upload(parts);
        request.send().await.map_err(|error| port_error(error, "storing a file"))?;
        self.ended = true;
        Ok(())
    }

    /// Throws the parts away.
    pub(crate) async fn abort(&mut self) {
        self.under_way.shutdown().await;
        self.ended = true;
        abort(&self.blobs, &self.key, &self.id).await;
    }
}

async fn abort(blobs: &S3Blobs, key: &str, id: &str) {
    let request = blobs.client.abort_multipart_upload().bucket(&blobs.bucket).key(key).upload_id(id);
    if let Err(error) = request.send().await {
        tracing::warn!(error = %port_error(error, "ending an upload"), "an unfinished upload stays for a day");
    }
}

impl Drop for Upload {
    /// A caller that went away leaves nothing behind.
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let (blobs, key, id) =
            (self.blobs.clone(), std::mem::take(&mut self.key), std::mem::take(&mut self.id));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { abort(&blobs, &key, &id).await });
        }
    }
}
