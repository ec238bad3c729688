//! Files in a bucket of any S3 server: AWS, MinIO and their like.

mod error;
mod listing;
mod presign;
mod upload;

use async_trait::async_trait;
use aws_sdk_s3::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig},
    primitives::ByteStream as Body,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use chat_core::{
    ErrorKind, PortError, PortResult, check_blob_key,
    ports::{Blobs, ByteStream, Listed, Offer},
};
use error::{is_missing, port_error, stream_error};
use futures::{StreamExt, stream};
use futures::{future::BoxFuture, stream::BoxStream};
use std::{fmt, ops::Range, time::Duration};
use upload::Upload;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// How long one try of a request may take; bodies of any length are told by their own progress.
const ATTEMPT: Duration = Duration::from_secs(30);
/// How often a request is sent before it counts as failed.
const ATTEMPTS: u32 = 3;
/// Unfinished uploads older than this have no writer any more.
const ABANDONED: Duration = Duration::from_hours(24);

/// Where the bucket is.
#[derive(Clone)]
pub struct S3Options {
    /// `http:` or `https:`, without a bucket.
    pub endpoint: String,
    /// Where clients reach it, if that is elsewhere.
    pub public_endpoint: Option<String>,
    /// The access key.
    pub access_key: String,
    /// The secret of that key.
    pub secret_key: String,
    /// The bucket.
    pub bucket: String,
    /// The region that requests are signed for.
    pub region: String,
}

impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, public_endpoint, bucket, region, .. } = self;
        f.debug_struct("S3Options")
            .field("endpoint", endpoint)
            .field("public_endpoint", public_endpoint)
            .field("bucket", bucket)
            .field("region", region)
            .finish_non_exhaustive()
    }
}

/// Blobs as objects of one bucket.
#[derive(Debug, Clone)]
pub struct S3Blobs {
    client: Client,
    /// Signs addresses for clients; asks nothing.
    outside: Client,
    bucket: String,
}

impl S3Blobs {
    /// A client of the bucket. Nothing is asked yet.
    pub fn new(options: &S3Options) -> Self {
        let credentials =
            Credentials::new(&*options.access_key, &*options.secret_key, None, None, "settings");
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let timeouts =
            TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(options.region.clone()))
            .endpoint_url(options.endpoint.trim_end_matches('/'))
            .credentials_provider(credentials)
            .force_path_style(true) // what servers other than AWS understand without DNS of their own
            .http_client(http)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .build();
        let public = options.public_endpoint.as_ref().unwrap_or(&options.endpoint);
        let outside = config.to_builder().endpoint_url(public.trim_end_matches('/')).build();
        let (client, outside) = (Client::from_conf(config), Client::from_conf(outside));
        Self { client, outside, bucket: options.bucket.clone() }
    }

    /// Makes the bucket if it is missing. Whether it was.
    pub fn prepare(&self) -> BoxFuture<'_, PortResult<bool>> {
        Box::pin(async move {
            match self.client.head_bucket().bucket(&self.bucket).send().await {
                Ok(_) => return Ok(false),
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(port_error(error, "looking for the bucket")),
            }
            match self.client.create_bucket().bucket(&self.bucket).send().await {
                Ok(_) => Ok(true),
                // Another process was faster.
                Err(error) if self.client.head_bucket().bucket(&self.bucket).send().await.is_ok() => {
                    drop(error);
                    Ok(false)
                }
                Err(error) => Err(port_error(error, "making the bucket")),
            }
        })
    }

    /// Ends uploads that were begun long ago and never finished: their parts would stay for ever. How many.
    pub fn abort_abandoned(&self, now: chat_core::Timestamp) -> BoxFuture<'_, PortResult<u64>> {
        Box::pin(async move {
            let oldest = now.0 / 1_000 - ABANDONED.as_secs() as i64;
            let listed = self.client.list_multipart_uploads().bucket(&self.bucket).send().await;
            let listed = listed.map_err(|error| port_error(error, "listing unfinished uploads"))?;
            let mut aborted = 0;
            for upload in listed.uploads() {
                let old = upload.initiated().is_some_and(|begun| begun.secs() < oldest);
                if let (true, Some(key), Some(id)) = (old, upload.key(), upload.upload_id()) {
                    Upload::of(self, key, id).abort().await;
                    aborted += 1;
                }
            }
            Ok(aborted)
        })
    }
}

/// A range as the header says it: both ends count.
fn header(range: &Range<u64>) -> String {
    format!("bytes={}-{}", range.start, range.end - 1)
}

fn pieces(body: Body) -> ByteStream {
    stream::unfold(body, |mut body| async {
        let piece = body.next().await?;
        Some((piece.map_err(stream_error), body))
    })
    .boxed()
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, key: &str, bytes: ByteStream) -> PortResult<u64> {
        check_blob_key(key)?;
        upload::put(self, key, bytes).await
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> PortResult<ByteStream> {
        check_blob_key(key)?;
        if range.as_ref().is_some_and(Range::is_empty) {
            return self.size(key).await.map(|_| stream::empty().boxed());
        }
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let request = request.set_range(range.as_ref().map(header));
        let object = request.send().await.map_err(|error| port_error(error, "reading a file"))?;
        Ok(pieces(object.body))
    }

    async fn size(&self, key: &str) -> PortResult<u64> {
        check_blob_key(key)?;
        let request = self.client.head_object().bucket(&self.bucket).key(key);
        let head = request.send().await.map_err(|error| port_error(error, "reading a file"))?;
        head.content_length().and_then(|bytes| u64::try_from(bytes).ok()).ok_or_else(|| {
            PortError::new(ErrorKind::Protocol, "the file store does not say how long a file is")
        })
    }

    async fn delete(&self, key: &str) -> PortResult<()> {
        check_blob_key(key)?;
        match self.client.delete_object().bucket(&self.bucket).key(key).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(port_error(error, "deleting a file")),
        }
    }

    fn list(&self, segment: &str) -> BoxStream<'static, PortResult<Listed>> {
        listing::list(self, segment)
    }

    async fn address(&self, key: &str, offer: &Offer) -> PortResult<Option<String>> {
        check_blob_key(key)?;
        presign::address(self, key, offer).await.map(Some)
    }

    async fn ping(&self) -> PortResult<()> {
        let request = self.client.head_bucket().bucket(&self.bucket);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => {
                Err(PortError::invalid(format!("there is no bucket {}: run `chat init`", self.bucket)))
            }
            Err(error) => Err(port_error(error, "asking for the bucket")),
        }
    }
}
