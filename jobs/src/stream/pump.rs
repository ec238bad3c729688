//! Numbers, publishes and stores what the work says.

use super::{Numbers, Start, Voice, start::restart_reason, voice::Said};
use crate::JobContext;
use chat_core::{
    Change, Committed, ErrorKind, Event, PortError, PortResult, ResponseId, StreamId, Timestamp, object,
};
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use std::{future::poll_fn, mem, task::Poll, time::Duration};
use tokio::sync::mpsc;

/// How long pieces of text are gathered into one event; the first after a pause goes out at once.
const GATHER: Duration = Duration::from_millis(8);
/// How long an event may be published without being stored, while the store answers.
const STORE_EVERY: Duration = Duration::from_secs(1);
/// How many events are stored before their time has come.
const STORE_AT: usize = 128;
/// How many events may wait for the store before nothing more is published. Together with what the work may have
/// said meanwhile this stays below `JUMP`.
const MOST_UNSAVED: usize = 512;
/// How much the work may say ahead.
const AHEAD: usize = 64;

/// The writing end of a response's stream.
pub struct ResponseStream {
    cx: JobContext,
    stream: StreamId,
    numbers: Numbers,
    said: mpsc::Receiver<Said>,
    /// Text that is not in an event yet.
    gathered: String,
    /// When text was last made an event.
    spoke: Option<Timestamp>,
    /// While it waits, text is gathered. Only what comes too soon makes one: a model is seldom that fast, and a timer
    /// for each piece would wake the whole run once more.
    gate: Option<BoxFuture<'static, ()>>,
    /// Numbered, not yet published.
    unpublished: Vec<Event>,
    /// Numbered, not yet stored; in order.
    unsaved: Vec<Event>,
    /// Writes that go with the next batch.
    writes: Vec<Change>,
    /// The batch that is being stored.
    saving: Option<Saving>,
    /// When the next batch is stored.
    timer: Option<BoxFuture<'static, ()>>,
    /// The claim's first event is stored: from now on events are published.
    begun: bool,
    /// The store refused the last batch: the next one waits for its time.
    failing: bool,
}

struct Saving {
    commit: BoxFuture<'static, PortResult<Committed>>,
    events: usize,
    writes: usize,
}

/// What is left when the work has ended.
pub struct Rest {
    stream: StreamId,
    numbers: Numbers,
    unpublished: Vec<Event>,
    unsaved: Vec<Event>,
    writes: Vec<Change>,
}

impl ResponseStream {
    /// Takes a stream over. Its first events (`response.restarted` if it was begun before, `response.in_progress`)
    /// are on their way to the store when this returns, and nothing is published before they are there.
    pub async fn open(cx: &JobContext, response: ResponseId, start: Start) -> (Voice, Self) {
        let stream = StreamId::from(response);
        let (sender, said) = mpsc::channel(AHEAD);
        let mut this = Self {
            cx: cx.clone(),
            stream,
            numbers: Numbers::new(response, cx.claim.attempt, start.next),
            said,
            gathered: String::new(),
            spoke: None,
            gate: None,
            unpublished: start.unheard,
            unsaved: start.recovered,
            writes: Vec::new(),
            saving: None,
            timer: None,
            begun: false,
            failing: false,
        };
        if start.restarted {
            let reason = restart_reason(cx).await;
            this.tell(
                "response.restarted",
                object([("attempt", cx.claim.attempt.into()), ("reason", reason.into())]),
            );
        }
        this.tell("response.in_progress", Map::new());
        this.save();
        (Voice(sender), this)
    }

    /// Polls the work, and passes on what it says, until it ends or its stream fails.
    ///
    /// The work must speak in this very future: what another task said would be noticed only when something else wakes it.
    pub async fn carry<T>(&mut self, work: impl Future<Output = PortResult<T>>) -> PortResult<T> {
        tokio::select! {
            biased; // the work first: what it has said is taken in the same poll
            ended = work => ended,
            error = self.pump() => Err(error),
        }
    }

    /// Works until something fails. May be dropped and called again.
    async fn pump(&mut self) -> PortError {
        loop {
            if let Err(error) = self.step().await {
                return error;
            }
        }
    }

    async fn step(&mut self) -> PortResult<()> {
        let room = self.unsaved.len() < MOST_UNSAVED;
        tokio::select! {
            biased;
            result = done(self.saving.as_mut().map(|saving| &mut saving.commit)) => self.saved(result)?,
            () = done(self.timer.as_mut()) => { self.timer = None; self.save(); }
            () = done(self.gate.as_mut()), if room => { self.gate = None; self.speak(self.cx.now()); }
            said = heard(&mut self.said), if room => self.take(said),
        }
        self.publish().await;
        self.schedule();
        Ok(())
    }

    /// Takes what was said, and what else is there already, so that one round publishes it all.
    fn take(&mut self, first: Said) {
        let mut next = Some(first);
        while let Some(said) = next {
            match said {
                Said::Text(piece) => {
                    self.gathered.push_str(&piece);
                    if self.gate.is_none() {
                        self.speak_or_gather();
                    }
                }
                Said::Event(name, body) => {
                    self.utter();
                    self.tell(name, body);
                }
                Said::Write(change) => self.writes.push(*change),
            }
            next = (self.unsaved.len() < MOST_UNSAVED).then(|| self.said.try_recv().ok()).flatten();
        }
    }

    /// Text has come: an event at once, or, if the last one has just been, a gate until the next.
    fn speak_or_gather(&mut self) {
        let now = self.cx.now();
        let left = self.spoke.map_or(Duration::ZERO, |spoke| GATHER.saturating_sub(now.since(spoke)));
        if left.is_zero() {
            return self.speak(now);
        }
        let clock = self.cx.ports.clock.clone();
        self.gate = Some(Box::pin(async move { clock.sleep(left).await }));
    }

    /// Turns gathered text into an event.
    fn speak(&mut self, now: Timestamp) {
        if self.utter() {
            self.spoke = Some(now);
        }
    }

    fn utter(&mut self) -> bool {
        let some = !self.gathered.is_empty();
        if some {
            let delta = mem::take(&mut self.gathered);
            self.tell("response.output_text.delta", object([("delta", delta.into())]));
        }
        some
    }

    fn tell(&mut self, name: &str, body: Map<String, Value>) {
        let event = self.numbers.event(name, body);
        self.unpublished.push(event.clone());
        self.unsaved.push(event);
    }

    /// Removes events from `unpublished` only when the bus has them: a drop in between publishes them again.
    async fn publish(&mut self) {
        if self.begun && !self.unpublished.is_empty() {
            self.cx.ports.bus.publish(self.stream, Some(self.cx.claim.fence), &self.unpublished).await;
            self.unpublished.clear();
        }
    }

    fn schedule(&mut self) {
        if self.saving.is_some() || (self.unsaved.is_empty() && self.writes.is_empty()) {
            return;
        }
        if self.unsaved.len() >= STORE_AT && !self.failing {
            self.timer = None;
            self.save();
        } else if self.timer.is_none() {
            let clock = self.cx.ports.clock.clone();
            self.timer = Some(Box::pin(async move { clock.sleep(STORE_EVERY).await }));
        }
    }

    fn save(&mut self) {
        if self.saving.is_some() {
            return;
        }
        let (cx, events, writes) = (self.cx.clone(), self.unsaved.clone(), self.writes.clone());
        let (count, others) = (events.len(), writes.len());
        let mut changes = writes;
        changes.push(Change::AppendEvents(self.stream, events));
        let commit: BoxFuture<'static, _> = Box::pin(async move { cx.commit(changes).await });
        self.saving = Some(Saving { commit, events: count, writes: others });
    }

    fn saved(&mut self, result: PortResult<Committed>) -> PortResult<()> {
        let Some(saving) = self.saving.take() else {
            return Ok(());
        };
        match result {
            Ok(_) => {
                self.writes.drain(..saving.writes);
                if let Some(last) = self.unsaved.drain(..saving.events).next_back() {
                    self.cx.ports.bus.persisted(self.stream, last.seq);
                }
                (self.begun, self.failing) = (true, false);
                Ok(())
            }
            Err(error) if error.kind == ErrorKind::Stale => Err(error),
            Err(error) => {
                // The stream goes on: the batch stays and is tried again, with what came meanwhile.
                self.failing = true;
                tracing::warn!(stream = %self.stream.0, error = %error, "events could not be stored yet");
                Ok(())
            }
        }
    }

    /// Leaves the stream to the next attempt: what the log has by now, readers have too.
    pub async fn leave(mut self) -> PortResult<()> {
        self.settle().await?;
        self.publish().await;
        Ok(())
    }

    async fn settle(&mut self) -> PortResult<()> {
        match &mut self.saving {
            Some(saving) => {
                let result = (&mut saving.commit).await;
                self.saved(result)
            }
            None => Ok(()),
        }
    }

    /// Ends the stream: takes what was still said, and leaves what is not stored to the run's last transaction.
    pub async fn finish(mut self) -> PortResult<Rest> {
        self.settle().await?;
        self.said.close();
        while let Ok(said) = self.said.try_recv() {
            match said {
                Said::Text(piece) => self.gathered.push_str(&piece),
                Said::Event(name, body) => {
                    self.utter();
                    self.tell(name, body);
                }
                Said::Write(change) => self.writes.push(*change),
            }
        }
        self.utter();
        self.publish().await;
        let Self { stream, numbers, unpublished, unsaved, writes, .. } = self;
        Ok(Rest { stream, numbers, unpublished, unsaved, writes })
    }
}

impl Rest {
    /// For a stream that no run holds open.
    pub(crate) fn of(stream: StreamId, numbers: Numbers, start: Start) -> Self {
        let Start { unheard, recovered, .. } = start;
        Self { stream, numbers, unpublished: unheard, unsaved: recovered, writes: Vec::new() }
    }

    /// Adds an event that is to be published only when it is durable.
    pub fn tell(&mut self, name: &str, body: Map<String, Value>) {
        let event = self.numbers.event(name, body);
        self.unpublished.push(event.clone());
        self.unsaved.push(event);
    }

    /// What is to be written, and what is to be published afterwards.
    pub fn into_parts(self) -> (Vec<Change>, Vec<(StreamId, Vec<Event>)>) {
        let mut changes = self.writes;
        changes.push(Change::AppendEvents(self.stream, self.unsaved));
        (changes, vec![(self.stream, self.unpublished)])
    }
}

/// What was said, once something was. Registers no waker: the work speaks right before this is polled, in the same task,
/// and would have the whole run polled once more for each piece.
async fn heard(said: &mut mpsc::Receiver<Said>) -> Said {
    poll_fn(|_| said.try_recv().map_or(Poll::Pending, Poll::Ready)).await
}

/// Waits for a future if there is one; otherwise for ever.
async fn done<T>(future: Option<&mut BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
