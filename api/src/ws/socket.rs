//! One connection: a reader of frames, a writer with a bounded buffer, and a task for each subscription.

use super::{
    frame::{self, Frame},
    request::{perform, token},
};
use crate::{
    auth::{self, Watch},
    caller::Caller,
    feed::Feed,
    limits,
    problem::{Code, Problem},
    state::AppState,
};
use axum::{
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code},
    http::StatusCode,
};
use futures::{Sink, SinkExt, StreamExt, stream::SplitStream};
use metrics::{counter, gauge};
use serde_json::{Map, Value};
use std::{collections::HashMap, error::Error, pin::pin, time::Duration};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::{Instant, interval_at, timeout},
};
use tokio_tungstenite::tungstenite;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How many frames wait for a reader.
const BUFFER: usize = 256;
/// A reader that makes no room in the buffer for so long is too slow: it comes back with `starting_after`.
const STALLED: Duration = Duration::from_secs(5);
/// How long a reader that was too slow gets to read why it is closed.
const LAST_WORD: Duration = Duration::from_secs(30);
/// How long a client gets to close its side, after it was told why.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long the first frame may take when it has to bring the key.
const AUTH: Duration = Duration::from_secs(5);
/// How many streams one connection may follow at a time.
const MOST_STREAMS: usize = 1_000;
/// How often a connection is asked whether its client is still there, however much is written to it: a client that only
/// reads says nothing by itself.
const PING: Duration = Duration::from_secs(10);
/// A client that says nothing for so long, not even to a ping, is gone.
const SILENT: Duration = Duration::from_secs(45);

/// What the requests of a connection change.
pub(super) struct Connection {
    /// What every endpoint has at hand.
    pub(super) state: AppState,
    out: mpsc::Sender<Message>,
    /// Fires when the reader is too slow.
    stalled: CancellationToken,
    subscriptions: HashMap<Uuid, AbortHandle>,
    streams: JoinSet<Uuid>,
}

/// Why a connection is closed.
struct End {
    code: u16,
    reason: &'static str,
}

const GONE: End = End { code: close_code::NORMAL, reason: "" };
const TOO_LARGE: End = End { code: close_code::SIZE, reason: "a frame may have at most 2 MiB" };
const NO_TEXT: End = End { code: close_code::INVALID, reason: "a frame's text must be UTF-8" };
const NO_FRAME: End = End { code: close_code::PROTOCOL, reason: "this is no frame of WebSocket" };

/// Serves a connection to its end.
pub(super) async fn run(state: AppState, socket: WebSocket, caller: Option<Caller>) {
    let _open = Open::begin();
    let (sink, mut frames) = socket.split();
    let (out, queue) = mpsc::channel(BUFFER);
    let (stalled, closing) = (CancellationToken::new(), CancellationToken::new());
    let writer = state.tasks.spawn(write(sink, queue, stalled.clone(), closing.clone(), PING));
    let mut connection =
        Connection { state, out, stalled, subscriptions: HashMap::new(), streams: JoinSet::new() };
    let end = match connection.admit(&mut frames, caller).await {
        Ok(caller) => connection.serve(&mut frames, &caller).await,
        Err(end) => end,
    };
    counter!("websocket_closed_total", "code" => end.code.to_string()).increment(1);
    connection.streams.shutdown().await;
    if end.code != close_code::NORMAL {
        let frame = CloseFrame { code: end.code, reason: Utf8Bytes::from_static(end.reason) };
        connection.out.try_send(Message::Close(Some(frame))).ok();
    }
    drop(connection);
    closing.cancel();
    let written = async {
        writer.await.ok();
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        () = hear_out(&mut frames, &end) => {}
        () = written => {}
    }
}

/// Reads what a client still sends: a connection that is closed with something unread is reset by the system, and the
/// client never learns why. Behind a frame that cannot be read there is nothing to hear: it has the rest of its time.
async fn hear_out(frames: &mut SplitStream<WebSocket>, end: &End) {
    while next(frames).await.is_some() {}
    if matches!(end.code, close_code::SIZE | close_code::INVALID | close_code::PROTOCOL) {
        std::future::pending::<()>().await;
    }
}

impl Connection {
    /// Who is there: known already, or by the first frame.
    async fn admit(
        &mut self,
        frames: &mut SplitStream<WebSocket>,
        caller: Option<Caller>,
    ) -> Result<Caller, End> {
        if let Some(caller) = caller {
            return Ok(caller);
        }
        let refused =
            End { code: close_code::POLICY, reason: "the first frame must be auth, with a valid token" };
        let first = timeout(AUTH, async {
            loop {
                match next(frames).await {
                    Some(Heard::Alive) => {}
                    other => return other,
                }
            }
        });
        let text = match first.await {
            Ok(Some(Heard::Text(text))) => text,
            Ok(Some(Heard::Unreadable(end))) => return Err(end),
            _ => return Err(refused),
        };
        let (id, token) = match Frame::read(&text) {
            Ok(frame) => (frame.id.clone(), token(frame)),
            Err(problem) => (None, Err(problem)),
        };
        let known = match token {
            Ok(token) => self.known(&token).await,
            Err(problem) => Err(problem),
        };
        match known {
            Ok(caller) => {
                self.answer(frame::ok(id, Map::new())).await;
                Ok(caller)
            }
            Err(problem) => {
                self.answer(frame::error(id.as_ref(), &problem)).await;
                let busy = End { code: close_code::AGAIN, reason: "too many requests: try again later" };
                Err(if problem.code() == Code::RateLimited { busy } else { refused })
            }
        }
    }

    /// Who has this token, unless there were too many requests.
    async fn known(&self, token: &str) -> Result<Caller, Problem> {
        let caller = auth::bearer(&self.state, token).await?;
        limits::admit(&self.state, &caller).await?;
        Ok(caller)
    }

    async fn serve(&mut self, frames: &mut SplitStream<WebSocket>, caller: &Caller) -> End {
        let dependent = Watch::depend(&self.state, caller.credential);
        let draining = self.state.draining.clone();
        loop {
            tokio::select! {
                heard = timeout(SILENT, next(frames)) => match heard {
                    Ok(Some(Heard::Text(text))) => self.handle(&text, caller).await,
                    Ok(Some(Heard::Binary)) => self.answer(frame::error(None, &binary())).await,
                    Ok(Some(Heard::Alive)) => {}
                    Ok(Some(Heard::Unreadable(end))) => return end,
                    Ok(None) => return GONE,
                    Err(_) => return End { code: close_code::AWAY, reason: "nothing was heard for a while" },
                },
                Some(Ok(ended)) = self.streams.join_next() => {
                    if self.subscriptions.get(&ended).is_some_and(AbortHandle::is_finished) {
                        self.subscriptions.remove(&ended);
                    }
                }
                () = self.stalled.cancelled() => {
                    return End { code: close_code::AGAIN, reason: "too slow: resume with starting_after" };
                }
                () = dependent.ended.cancelled() => {
                    return End { code: close_code::POLICY, reason: "the key was revoked or has ended" };
                }
                () = draining.cancelled() => {
                    return End { code: close_code::RESTART, reason: "restarting: resume elsewhere" };
                }
            }
        }
    }

    async fn handle(&mut self, text: &str, caller: &Caller) {
        let answer = match Frame::read(text) {
            Ok(mut frame) => match perform(self, caller, &mut frame).await {
                Ok(more) => frame::ok(frame.id, more),
                Err(problem) => frame::error(frame.id.as_ref(), &problem),
            },
            Err(problem) => frame::error(None, &problem),
        };
        self.answer(answer).await;
    }

    async fn answer(&self, text: String) {
        say(&self.out, &self.stalled, text).await;
    }

    /// Follows a stream; a second time under the same id replaces the first.
    pub(super) fn subscribe(&mut self, feed: Feed, id: Uuid) -> Result<Map<String, Value>, Problem> {
        if let Some(old) = self.subscriptions.remove(&id) {
            old.abort();
        }
        if self.subscriptions.len() >= MOST_STREAMS {
            return Err(Problem::conflict(format!("One connection follows at most {MOST_STREAMS} streams.")));
        }
        let (out, stalled) = (self.out.clone(), self.stalled.clone());
        let task = self.streams.spawn(async move {
            pump(feed, &out, &stalled).await;
            id
        });
        self.subscriptions.insert(id, task);
        Ok(Map::new())
    }

    /// Follows it no more.
    pub(super) fn unsubscribe(&mut self, id: Uuid) -> Result<Map<String, Value>, Problem> {
        let subscription =
            self.subscriptions.remove(&id).ok_or_else(|| Problem::not_found("The subscription"))?;
        subscription.abort();
        Ok(Map::new())
    }
}

/// Passes events on, each as a frame.
async fn pump(mut feed: Feed, out: &mpsc::Sender<Message>, stalled: &CancellationToken) {
    while let Some(events) = feed.next().await {
        for event in events {
            if !say(out, stalled, event.data.to_string()).await {
                return;
            }
        }
    }
}

/// `false`: there is no room and none is made, or the connection is closed.
async fn say(out: &mpsc::Sender<Message>, stalled: &CancellationToken, text: String) -> bool {
    let said = out.send_timeout(Message::Text(text.into()), STALLED).await.is_ok();
    if !said {
        stalled.cancel();
    }
    said
}

/// What a client says.
enum Heard {
    Text(Utf8Bytes),
    Binary,
    /// A ping, or the answer to one.
    Alive,
    /// A frame that is not read, nor is anything behind it.
    Unreadable(End),
}

async fn next(frames: &mut SplitStream<WebSocket>) -> Option<Heard> {
    match frames.next().await? {
        Ok(Message::Text(text)) => Some(Heard::Text(text)),
        Ok(Message::Binary(_)) => Some(Heard::Binary),
        Ok(Message::Ping(_) | Message::Pong(_)) => Some(Heard::Alive),
        Ok(Message::Close(_)) => None,
        Err(error) => unreadable(&error).map(Heard::Unreadable),
    }
}

/// What is wrong with what the client sent; `None`: it sends nothing any more.
fn unreadable(error: &axum::Error) -> Option<End> {
    use tungstenite::{Error, error::ProtocolError::ResetWithoutClosingHandshake};
    match error.source()?.downcast_ref()? {
        Error::Capacity(_) => Some(TOO_LARGE),
        Error::Utf8(_) => Some(NO_TEXT),
        Error::Protocol(error) if *error != ResetWithoutClosingHandshake => Some(NO_FRAME),
        _ => None,
    }
}

fn binary() -> Problem {
    let detail = "Frames must be texts of JSON; this one was binary.";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType, detail)
}

/// Writes what is queued. When the reader is too slow what is queued is dropped: it comes again after a resume.
async fn write(
    mut sink: impl Sink<Message> + Unpin,
    mut queue: mpsc::Receiver<Message>,
    stalled: CancellationToken,
    closing: CancellationToken,
    ping: Duration,
) {
    let mut pings = interval_at(Instant::now() + ping, ping);
    let mut too_slow = pin!(stalled.cancelled()); // one wait for all messages: each wait is entered in a list
    loop {
        let message = tokio::select! {
            biased;
            () = &mut too_slow => break,
            _ = pings.tick() => Some(Message::Ping(bytes::Bytes::new())),
            message = queue.recv() => message,
        };
        let Some(message) = message else { break };
        let last = matches!(message, Message::Close(_));
        let sent = tokio::select! {
            sent = sink.send(message) => sent,
            () = &mut too_slow => break,
        };
        if sent.is_err() || last {
            break;
        }
    }
    if stalled.is_cancelled() {
        let reason = Utf8Bytes::from_static("too slow: resume with starting_after");
        let close = Message::Close(Some(CloseFrame { code: close_code::AGAIN, reason }));
        timeout(LAST_WORD, sink.send(close)).await.ok();
    }
    closing.cancelled().await;
    timeout(STALLED, sink.close()).await.ok();
}

/// Counts open connections.
struct Open;

impl Open {
    fn begin() -> Self {
        gauge!("websocket_active_connections").increment(1.0);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        gauge!("websocket_active_connections").decrement(1.0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use futures::sink;

    /// A client that only reads answers pings, and is heard by that alone.
    #[tokio::test]
    async fn pings_are_sent_while_a_long_answer_is_written() {
        let (out, queue) = mpsc::channel(BUFFER);
        let (pings, mut pinged) = mpsc::unbounded_channel::<()>();
        let sink = sink::unfold(pings, |pings, message: Message| async move {
            if matches!(message, Message::Ping(_)) {
                pings.send(()).ok();
            }
            Ok::<_, ()>(pings)
        });
        let (stalled, closing) = (CancellationToken::new(), CancellationToken::new());
        let writing = write(Box::pin(sink), queue, stalled, closing.clone(), Duration::from_millis(100));
        let speaking = async {
            let mut pings = 0;
            while pings < 3 {
                out.send(Message::Text("{}".into())).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
                pings += usize::from(pinged.try_recv().is_ok());
            }
            drop(out);
            closing.cancel();
        };
        let both = async { tokio::join!(writing, speaking) };
        timeout(Duration::from_secs(20), both).await.expect("it is asked however much is written");
    }
}
