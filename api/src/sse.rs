//! Server-sent events: numbered frames, a comment now and then, and the header from which a client resumes.

use crate::{auth::Watch, caller::Caller, feed::Feed, problem::Problem, query::Query, state::AppState};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chat_core::{Event, ResponseId};
use futures::{Stream, StreamExt, stream::BoxStream};
use std::{
    convert::Infallible,
    fmt::Write,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep};
use tokio_util::task::task_tracker::TaskTrackerToken;

const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// Whether the caller would rather have events than JSON.
pub fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(is_events)
}

/// Whether an entry of `Accept` names events, and not with the weight 0, which refuses them.
fn is_events(entry: &str) -> bool {
    let mut parts = entry.split(';').map(str::trim);
    let named = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("text/event-stream"));
    let weight =
        parts.find_map(|part| part.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("q")));
    named && weight.is_none_or(|(_, weight)| weight.trim().parse() != Ok(0.0_f32))
}

/// The number after which a client wants to go on: `starting_after` or `Last-Event-ID`, whichever is further. A browser
/// that connects again asks for the address that it began with, and says in the header how far it has come.
pub fn starting_after(query: &mut Query, headers: &HeaderMap) -> u64 {
    let named = query.number("starting_after").unwrap_or(0);
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else {
        return named;
    };
    let Some(number) = value.to_str().ok().and_then(|text| text.trim().parse().ok()) else {
        query.refuse("Last-Event-ID", "must be the number of an event");
        return 0;
    };
    named.max(number)
}

/// The events of a response of the caller from the first on.
pub async fn replay(state: &AppState, caller: &Caller, id: ResponseId) -> Result<Response, Problem> {
    of_response(state, caller, id, 0).await
}

/// The events of a response of the caller after a number.
pub async fn of_response(
    state: &AppState,
    caller: &Caller,
    id: ResponseId,
    after: u64,
) -> Result<Response, Problem> {
    let feed = Feed::of_response(&state.ports, &caller.tenant, id, after).await?;
    Ok(respond(state, caller, feed))
}

/// Streams a feed until it or the process ends.
pub fn respond(state: &AppState, caller: &Caller, feed: Feed) -> Response {
    let frames = Frames::new(feed.into_batches().take_until(end(state, caller)).boxed(), state);
    let mut response = Body::from_stream(frames).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would otherwise collect what it forwards.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// When a stream ends before its time: the process stops, or the caller is not known any more.
pub fn end(state: &AppState, caller: &Caller) -> impl Future<Output = ()> + Send + 'static {
    let draining = state.draining.clone();
    let dependent = Watch::depend(state, caller.credential);
    async move {
        tokio::select! {
            () = draining.cancelled() => {}
            () = dependent.ended.cancelled() => {}
        }
    }
}

/// Batches of events as bytes: one piece a batch, so that a burst is one write.
struct Frames {
    batches: BoxStream<'static, Vec<Event>>,
    keep_alive: Duration,
    idle: Pin<Box<Sleep>>,
    _open: OpenStream,
}

impl Frames {
    fn new(batches: BoxStream<'static, Vec<Event>>, state: &AppState) -> Self {
        let keep_alive = state.options.keep_alive;
        Self {
            batches,
            keep_alive,
            idle: Box::pin(tokio::time::sleep(keep_alive)),
            _open: OpenStream::begin(state),
        }
    }
}

impl Stream for Frames {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = match self.batches.poll_next_unpin(cx) {
            Poll::Ready(Some(events)) => Some(frame(&events)),
            Poll::Ready(None) => None,
            Poll::Pending if self.idle.as_mut().poll(cx).is_ready() => Some(KEEP_ALIVE),
            Poll::Pending => return Poll::Pending,
        };
        let next = Instant::now() + self.keep_alive;
        self.idle.as_mut().reset(next);
        Poll::Ready(piece.map(Ok))
    }
}

/// Writes events as they go over the wire.
fn frame(events: &[Event]) -> Bytes {
    let size = events.iter().map(|event| event.data.len() + event.name.len() + 48).sum();
    let mut text = String::with_capacity(size);
    for event in events {
        // Writing to a string cannot fail. JSON of one line has no line break that would end the field.
        let _ = write!(text, "id: {}\nevent: {}\ndata: {}\n\n", event.seq, event.name, event.data);
    }
    Bytes::from(text)
}

/// Counts a stream while it lives.
struct OpenStream {
    _waited_for: TaskTrackerToken,
}

impl OpenStream {
    fn begin(state: &AppState) -> Self {
        metrics::gauge!("sse_active_connections").increment(1.0);
        Self { _waited_for: state.streams.token() }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        metrics::gauge!("sse_active_connections").decrement(1.0);
    }
}
