//! The body of a stream, in time.

use super::{Break, Call, Inner, Script, journal::StreamGuard, wire, wire::Wire};
use axum::body::Bytes;
use futures::{Stream, stream};
use serde_json::Value;
use std::{collections::VecDeque, future::pending, io, sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

const DRIP: Duration = Duration::from_millis(10);
const LONG_LINE: usize = 2 * 1024 * 1024;

pub(super) fn body(
    inner: &Inner,
    script: Script,
    call: &Call,
    words: Vec<String>,
    finish: Option<String>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let model = call.body["model"].as_str().unwrap_or_default();
    let wire = Wire::new(&script, call.id, model);
    let wants_usage = call.body["stream_options"]["include_usage"] == true;
    let usage = (script.usage && wants_usage).then(|| wire::usage(&call.body, words.len()));
    let ready = script.role.then(|| wire.role()).into_iter().collect();
    let talk = Talk {
        ready,
        said: 0,
        is_ended: false,
        guard: inner.journal.stream(call),
        opened: call.at.into(),
        // Before the first wait: a cut that comes right after the headers counts.
        cut: inner.cut.subscribe(),
        script,
        wire,
        words: words.into(),
        finish,
        usage,
    };
    stream::unfold(talk, |mut talk| async move { Some((talk.next().await?, talk)) })
}

struct Talk {
    script: Script,
    wire: Wire,
    words: Arc<[String]>,
    finish: Option<String>,
    usage: Option<Value>,
    opened: Instant,
    cut: watch::Receiver<u64>,
    guard: StreamGuard,
    /// Written already, to be sent at once.
    ready: VecDeque<String>,
    /// Thoughts and words so far.
    said: usize,
    is_ended: bool,
}

impl Talk {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event.into()));
            }
            if self.is_ended {
                return self.end().await;
            }
            match self.script.breaks {
                Some((after, kind)) if after <= self.guard.tokens => return self.break_off(kind).await,
                _ if self.has_more() => return Some(self.say().await),
                _ => self.write_end(),
            }
        }
    }

    fn has_more(&self) -> bool {
        self.script.endless || self.said < self.script.reasoning + self.words.len()
    }

    async fn say(&mut self) -> io::Result<Bytes> {
        self.wait().await?;
        let event = match self.said.checked_sub(self.script.reasoning) {
            None => self.wire.thought(" hm"),
            Some(word) => {
                self.guard.tokens += 1;
                self.wire.text(self.words.get(word % self.words.len().max(1)).map_or(" on", String::as_str))
            }
        };
        self.said += 1;
        Ok(event.into())
    }

    /// Until the next token is due. Counted from the request: delays do not add up.
    async fn wait(&mut self) -> io::Result<()> {
        let tokens = u32::try_from(self.said).unwrap_or(u32::MAX);
        let due = self.opened + self.script.first_token + self.script.per_token * tokens;
        if due <= Instant::now() {
            // An endless stream must leave room for others.
            tokio::task::yield_now().await;
            return if self.cut.has_changed().unwrap_or(false) { Err(cut_off()) } else { Ok(()) };
        }
        tokio::select! {
            () = tokio::time::sleep_until(due) => Ok(()),
            // If the fake is gone its streams go on: this branch is then off.
            Ok(()) = self.cut.changed() => Err(cut_off()),
        }
    }

    fn write_end(&mut self) {
        self.is_ended = true;
        self.ready.extend(self.finish.as_deref().map(|reason| self.wire.finish(reason)));
        self.ready.extend(self.usage.as_ref().map(|usage| self.wire.usage(usage)));
        self.ready.extend(self.script.done.then(|| self.wire.event("[DONE]")));
    }

    async fn end(&mut self) -> Option<io::Result<Bytes>> {
        if self.script.keep_open {
            return self.hang().await;
        }
        self.guard.complete = true;
        None
    }

    async fn hang(&mut self) -> Option<io::Result<Bytes>> {
        if self.cut.changed().await.is_err() {
            // The fake is gone, its streams may stay.
            return pending().await;
        }
        Some(Err(cut_off()))
    }

    async fn drip(&mut self) -> io::Result<Bytes> {
        tokio::select! {
            () = tokio::time::sleep(DRIP) => Ok(Bytes::from_static(b": keep-alive\n\n")),
            Ok(()) = self.cut.changed() => Err(cut_off()),
        }
    }

    async fn break_off(&mut self, kind: Break) -> Option<io::Result<Bytes>> {
        self.is_ended = kind != Break::Drip;
        match kind {
            Break::Drip => Some(self.drip().await),
            Break::Hang => self.hang().await,
            Break::Cut => Some(Err(cut_off())),
            Break::End => self.end().await,
            Break::Error => Some(Ok(self.wire.error().into())),
            Break::Garbage => Some(Ok(Bytes::from_static(b"\x00\xff\xfegarbage\n\n{]\n\n"))),
            Break::LongLine => Some(Ok(format!("data: \"{}\"\n\n", "x".repeat(LONG_LINE)).into())),
        }
    }
}

/// An error of the body makes the server break the connection off.
fn cut_off() -> io::Error {
    io::Error::other("cut by the script")
}
