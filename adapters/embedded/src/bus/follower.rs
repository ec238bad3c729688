//! A reader of one stream.

use super::{
    log::Found,
    streams::{Stream, Streams},
};
use async_trait::async_trait;
use chat_core::{
    PortResult, StreamId,
    ports::{Follower, Tail},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// A reader that was told `Behind`, found nothing new in SQL and asks again waits so long for a change of the log.
/// The log changes with every event and commit; this bounds what a commit that nobody announced could cost.
const RECHECK: Duration = Duration::from_millis(50);

pub(super) struct StreamFollower {
    streams: Arc<Streams>,
    id: StreamId,
    /// Always there until it is dropped.
    stream: Option<Arc<Stream>>,
    /// The number and the log's revision at the last `Behind`.
    behind: Option<(u64, u64)>,
}

impl StreamFollower {
    pub(super) fn new(streams: Arc<Streams>, id: StreamId) -> Self {
        let stream = Some(streams.open(id));
        Self { streams, id, stream, behind: None }
    }
}

enum Answer {
    Now(Tail),
    /// Nothing to say before the log changes.
    Wait,
    /// It was said already: say it again only if nothing changes for a while.
    WaitBriefly,
}

/// What to answer, and what to remember of it.
fn answer(stream: &Stream, after: u64, behind: &mut Option<(u64, u64)>) -> Answer {
    let log = stream.log();
    let read_sql = behind.is_some_and(|(at, _)| at == after);
    match log.after(after) {
        Found::Nothing => Answer::Wait,
        Found::Tail(Tail::Events(events)) => Answer::Now(Tail::Events(events)),
        Found::Unlinked if read_sql => Answer::Now(log.jump(after)),
        // SQL has nothing of it either: a new stream, or one whose end was told long ago.
        Found::Tail(Tail::Behind) if read_sql && !log.knows_after(after) => Answer::Wait,
        Found::Tail(Tail::Behind) if *behind == Some((after, log.revision)) => Answer::WaitBriefly,
        Found::Tail(Tail::Behind) | Found::Unlinked => {
            *behind = Some((after, log.revision));
            Answer::Now(Tail::Behind)
        }
    }
}

#[async_trait]
impl Follower for StreamFollower {
    async fn next(&mut self, after: u64) -> PortResult<Tail> {
        let Self { stream: Some(stream), behind, .. } = self else { return Ok(Tail::Behind) };
        loop {
            // Created before the look: what is published in between ends the wait.
            let changed = stream.changed();
            match answer(stream, after, behind) {
                Answer::Now(tail) => return Ok(tail),
                Answer::Wait => changed.await,
                Answer::WaitBriefly => {
                    if timeout(RECHECK, changed).await.is_err() {
                        return Ok(Tail::Behind);
                    }
                }
            }
        }
    }
}

impl Drop for StreamFollower {
    fn drop(&mut self) {
        let finished = self.stream.take().is_some_and(|stream| stream.log().is_finished());
        if finished {
            self.streams.forget_finished(self.id);
        }
    }
}
