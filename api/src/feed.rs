//! The events of one stream, each once and in order: what is live from the bus, the rest from the log.

use chat_core::{
    DocumentId, ErrorKind, Event, PortResult, ResponseId, StreamId, Tenant, Version, VersionId,
    ports::{Follower, Ports, Store, Tail},
};
use futures::{Stream, stream};
use std::time::Duration;

/// The first wait between two looks at the log when the bus cannot say that something came.
const FIRST_WAIT: Duration = Duration::from_millis(25);
/// The longest such wait.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How long the bus is trusted to say nothing: then the log is asked whether the stream is over.
const QUIET: Duration = Duration::from_secs(30);

/// What a stream is about: tells whether more can come.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A response of a tenant.
    Response(Tenant, ResponseId),
    /// A version of a document.
    Version(VersionId),
}

impl Subject {
    /// The stream's name.
    pub fn stream(&self) -> StreamId {
        match self {
            Self::Response(_, id) => (*id).into(),
            Self::Version(id) => (*id).into(),
        }
    }

    /// Whether nothing more will be written; what is gone is over.
    async fn is_over(&self, store: &dyn Store) -> PortResult<bool> {
        let found = match self {
            Self::Response(tenant, id) => {
                store.response(tenant, *id).await.map(|found| found.status.is_final())
            }
            Self::Version(id) => {
                store.version(*id).await.map(|found| found.deleted || found.status.is_final())
            }
        };
        match found {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(true),
            other => other,
        }
    }
}

/// A reader of one stream.
pub struct Feed {
    ports: Ports,
    subject: Subject,
    follower: Option<Box<dyn Follower>>,
    /// The last number that was given out.
    after: u64,
    /// How often in a row neither bus nor log had anything.
    idle: u32,
    /// Something was given out.
    told: bool,
    over: bool,
}

impl Feed {
    /// Follows a stream from the event after `after` on. Nothing that is published from now on is missed.
    pub async fn open(ports: &Ports, subject: Subject, after: u64) -> Self {
        // Without the bus the log is asked now and then: later, but complete.
        let follower = ports.bus.follow(subject.stream()).await;
        let follower =
            follower.inspect_err(|error| tracing::warn!(%error, "the bus cannot be followed")).ok();
        Self { follower, ..Self::of_log(ports, subject, after) }
    }

    /// The events of a response of this tenant after a number, live if it still runs.
    pub async fn of_response(ports: &Ports, tenant: &Tenant, id: ResponseId, after: u64) -> PortResult<Self> {
        let found = ports.store.response(tenant, id).await?;
        let subject = Subject::Response(tenant.clone(), id);
        Ok(Self::of(ports, subject, after, found.status.is_final()).await)
    }

    /// The same for the newest version of a document of this tenant. A number of an earlier version's event is before all
    /// of its events.
    pub async fn of_document(ports: &Ports, tenant: &Tenant, id: DocumentId, after: u64) -> PortResult<Self> {
        let found = ports.store.document(tenant, id).await?;
        let after = if after > Version::events_before(found.version) { after } else { 0 };
        let subject = Subject::Version(found.version_id);
        Ok(Self::of(ports, subject, after, found.status.is_final()).await)
    }

    async fn of(ports: &Ports, subject: Subject, after: u64, is_over: bool) -> Self {
        if is_over { Self::of_log(ports, subject, after) } else { Self::open(ports, subject, after).await }
    }

    /// Reads a stream that is over: the log has all of it.
    pub fn of_log(ports: &Ports, subject: Subject, after: u64) -> Self {
        Self { ports: ports.clone(), subject, follower: None, after, idle: 0, told: false, over: false }
    }

    /// The next events, at least one; `None` after the last.
    pub async fn next(&mut self) -> Option<Vec<Event>> {
        while !self.over {
            let events = self.live().await;
            if !events.is_empty() {
                return Some(events);
            }
            match self.look().await {
                Ok(events) if events.is_empty() => self.rest().await,
                Ok(events) => return Some(events),
                Err(error) => {
                    // The client resumes from its last number once the store is back.
                    tracing::warn!(%error, "a stream ends early: its log cannot be read");
                    return None;
                }
            }
        }
        None
    }

    /// As a stream of batches.
    pub fn into_batches(self) -> impl Stream<Item = Vec<Event>> + Send {
        stream::unfold(self, |mut feed| async { feed.next().await.map(|events| (events, feed)) })
    }

    /// What the bus has, as far as it follows without a gap.
    async fn live(&mut self) -> Vec<Event> {
        let Some(follower) = &mut self.follower else {
            return Vec::new();
        };
        match tokio::time::timeout(QUIET, follower.next(self.after)).await {
            Ok(Ok(Tail::Events(events))) => self.accept(events, false),
            Ok(Ok(Tail::Behind)) | Err(_) => Vec::new(),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the bus was lost: the stream goes on from the log");
                self.follower = None;
                Vec::new()
            }
        }
    }

    /// What the log has; learns whether the stream is over.
    async fn look(&mut self) -> PortResult<Vec<Event>> {
        let store = self.ports.store.clone();
        let stream = self.subject.stream();
        let events = self.accept_logged(store.events_after(stream, self.after).await?);
        if !events.is_empty() || !self.subject.is_over(&*store).await? {
            return Ok(events);
        }
        // The last events came with the end: after it has been seen, they can be read.
        let last = self.accept_logged(store.events_after(stream, self.after).await?);
        if !last.is_empty() {
            return Ok(last);
        }
        self.over = true;
        if self.told { Ok(last) } else { end_before(&*store, stream, self.after).await }
    }

    /// The first time in a row the bus is asked again at once: it waits. If it does not, nor has the log, wait here.
    async fn rest(&mut self) {
        if self.over {
            return;
        }
        if self.idle > 0 || self.follower.is_none() {
            let wait = FIRST_WAIT.saturating_mul(1 << self.idle.min(10));
            tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
        }
        self.idle += 1;
    }

    fn accept_logged(&mut self, events: Vec<Event>) -> Vec<Event> {
        self.accept(events, true)
    }

    /// Takes what follows. The log's order is the truth; the bus may have lost events in between, then the log is
    /// asked. Only a restarted response may jump.
    fn accept(&mut self, events: Vec<Event>, trusted: bool) -> Vec<Event> {
        let mut taken = Vec::with_capacity(events.len());
        for event in events {
            if event.seq <= self.after {
                continue;
            }
            let follows = event.seq == self.after + 1 || &*event.name == "response.restarted";
            if !follows && !trusted {
                break;
            }
            self.after = event.seq;
            self.over |= event.is_terminal();
            taken.push(event);
            if self.over {
                break;
            }
        }
        if !taken.is_empty() {
            (self.idle, self.told) = (0, true);
        }
        taken
    }
}

/// The terminal event, for a reader whose number is past it: nothing else would tell it how the stream ended. Who has it
/// needs it no more.
async fn end_before(store: &dyn Store, stream: StreamId, number: u64) -> PortResult<Vec<Event>> {
    let last = store.last_event(stream).await?;
    if last >= number {
        return Ok(Vec::new());
    }
    let mut events = store.events_after(stream, last.saturating_sub(1)).await?;
    events.retain(Event::is_terminal);
    Ok(events)
}
