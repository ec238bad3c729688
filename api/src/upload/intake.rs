//! A request's body as the multipart reader sees it: one piece at a time, and never too many.
//!
//! The reader takes all that is there before it gives anything out, and searches a header that has no end again with
//! every piece. Both would let one request use as much memory or time as it likes.

use axum::body::BodyDataStream;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

/// The most bytes before a part's content.
const HEADER_BYTES: u64 = 64 * 1024;

/// Why the intake stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// The body is too large.
    #[error("the body is too large")]
    TooLarge,
    /// A part's header has no end.
    #[error("a part's header is too long")]
    EndlessHeader,
    /// The client went away.
    #[error("the body broke off")]
    BrokenOff,
}

/// What the reader is at: shared between the intake and who drives the reader.
#[derive(Debug, Default)]
pub struct Gauge {
    in_header: AtomicBool,
    header_bytes: AtomicU64,
    too_large: AtomicBool,
}

impl Gauge {
    /// A part's header is read next.
    pub fn header(&self) {
        self.header_bytes.store(0, Relaxed);
        self.in_header.store(true, Relaxed);
    }

    /// A part's content is read next.
    pub fn content(&self) {
        self.in_header.store(false, Relaxed);
    }

    /// Whether the body was too large.
    pub fn is_too_large(&self) -> bool {
        self.too_large.load(Relaxed)
    }
}

/// The pieces of a body.
pub struct Intake {
    pieces: BodyDataStream,
    gauge: Arc<Gauge>,
    left: u64,
    /// A piece was given out: say "not yet" once, so that the reader works on it before it asks for more.
    rest: bool,
}

impl Intake {
    /// At most `most` bytes of a body.
    pub fn new(pieces: BodyDataStream, most: u64, gauge: Arc<Gauge>) -> Self {
        Self { pieces, gauge, left: most, rest: false }
    }

    fn admit(&mut self, piece: Bytes) -> Result<Bytes, Stopped> {
        let size = piece.len() as u64;
        let Some(left) = self.left.checked_sub(size) else {
            self.gauge.too_large.store(true, Relaxed);
            return Err(Stopped::TooLarge);
        };
        self.left = left;
        let waiting = self.gauge.header_bytes.fetch_add(size, Relaxed);
        if self.gauge.in_header.load(Relaxed) && waiting > HEADER_BYTES {
            return Err(Stopped::EndlessHeader);
        }
        Ok(piece)
    }
}

impl Stream for Intake {
    type Item = Result<Bytes, Stopped>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.rest) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = match futures::ready!(self.pieces.poll_next_unpin(cx)) {
            Some(Ok(piece)) => self.admit(piece),
            Some(Err(_)) => Err(Stopped::BrokenOff),
            None => return Poll::Ready(None),
        };
        self.rest = true;
        Poll::Ready(Some(piece))
    }
}
