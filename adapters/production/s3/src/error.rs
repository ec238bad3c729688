//! S3's errors as the ports speak of them.
//! Codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStreamError,
};
use chat_core::{ErrorKind, PortError};
use std::{error::Error, time::Duration};

/// What a caller is told to wait when the server is away.
const AWAY: Duration = Duration::from_secs(2);

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// Whether the bucket or the object is not there.
pub(crate) fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    matches!(code, Some("NoSuchKey" | "NoSuchBucket" | "NotFound" | "NoSuchUpload"))
        || status(error) == Some(404)
}

/// The error with its cause.
pub(crate) fn port_error<E>(error: SdkError<E, HttpResponse>, doing: &str) -> PortError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    let (kind, why) = match (&error, status(&error)) {
        (SdkError::TimeoutError(_), _) => (ErrorKind::Unavailable, "the file store does not answer in time"),
        (SdkError::DispatchFailure(_), _) => (ErrorKind::Unavailable, "the file store does not answer"),
        (SdkError::ConstructionFailure(_), _) => (ErrorKind::Internal, "the request cannot be made"),
        _ if is_missing(&error) => (ErrorKind::NotFound, "there is no such file"),
        (_, Some(401 | 403)) => (ErrorKind::Unauthorized, "the file store refuses the key"),
        (_, Some(416)) => (ErrorKind::Invalid, "the range does not lie within the file"),
        (_, Some(429)) => (ErrorKind::RateLimited, "the file store asks for a pause"),
        _ if code == "EntityTooLarge" => (ErrorKind::Invalid, "the file is too large for the file store"),
        (_, Some(500..)) => (ErrorKind::Unavailable, "the file store cannot do it now"),
        (SdkError::ResponseError(_), _) => (ErrorKind::Unavailable, "the file store's answer broke off"),
        _ => (ErrorKind::Internal, "the file store refused the request"),
    };
    let wait = (kind == ErrorKind::Unavailable).then_some(AWAY);
    PortError::new(kind, format!("{doing} failed: {why}")).with_retry_after(wait).with_source(error)
}

/// A body that broke off, or does not have the checksum that it should have.
pub(crate) fn stream_error(error: ByteStreamError) -> PortError {
    PortError::new(ErrorKind::Unavailable, "reading a file failed: it broke off")
        .with_retry_after(Some(AWAY))
        .with_source(error)
}
