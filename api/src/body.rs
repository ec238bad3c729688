//! Request bodies within limits.

use crate::problem::{Code, Problem};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use std::time::Duration;

/// How much of a refused body is read and thrown away. A connection that is closed with unread bytes is reset, and
/// the client may never see why it was refused.
const DRAIN_BYTES: usize = 16 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(2);
/// How long a client may take between two pieces of a body.
pub const IDLE_TIME: Duration = Duration::from_secs(30);

/// Refuses a body that was compressed: its bytes would be taken for its content.
pub fn check_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut codings = codings.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    if codings.all(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    let detail = "Bodies are read as they come: send this one without Content-Encoding.";
    let readable = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
    let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType, detail);
    Err(problem.with_headers(readable))
}

/// Reads a body of at most `most` bytes.
pub async fn read(body: Body, most: usize) -> Result<Bytes, Problem> {
    let mut pieces = body.into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(piece) = next(&mut pieces).await? {
        if whole.len() + piece.len() > most {
            drain(pieces).await;
            return Err(Problem::too_large(format!("The body may have at most {most} bytes.")));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// The next piece of a body; a client that stops sending is not waited for.
pub async fn next<S, E>(pieces: &mut S) -> Result<Option<Bytes>, Problem>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    match tokio::time::timeout(IDLE_TIME, pieces.next()).await {
        Ok(Some(Ok(piece))) => Ok(Some(piece)),
        Ok(None) => Ok(None),
        Ok(Some(Err(_))) => Err(Problem::unreadable("The body broke off.")),
        Err(_) => Err(Problem::unreadable("The body stopped coming.")),
    }
}

/// Throws away what is left of a refused body, within limits.
pub async fn drain<S, E>(pieces: S)
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let mut pieces = pieces;
    let reading = async {
        let mut left = DRAIN_BYTES;
        while let Some(Ok(piece)) = pieces.next().await {
            match left.checked_sub(piece.len()) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // Whatever happens here, the answer is the same.
    let _ = tokio::time::timeout(DRAIN_TIME, reading).await;
}
