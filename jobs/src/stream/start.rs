//! Where a claim's numbers begin.

use crate::{
    JobContext, response_failure_code,
    stream::{JUMP, QUEUED},
};
use chat_core::{Event, PortResult, StreamId, ports::Tail};
use std::time::Duration;

/// How long reading back from the bus may take: it answers at once if it has the events.
const RECOVERY: Duration = Duration::from_secs(2);

/// What is known of a stream when a claim begins to write it.
#[derive(Debug)]
pub struct Start {
    /// The next number.
    pub next: u64,
    /// An earlier claim wrote here: what its readers have must be taken back.
    pub restarted: bool,
    /// Numbers were left out because nobody knows any more which were used.
    pub jumped: bool,
    /// What an earlier claim published and did not make durable.
    pub recovered: Vec<Event>,
    /// What an earlier claim made durable and did not publish.
    pub unheard: Vec<Event>,
}

impl Start {
    /// Makes this claim the only writer, and finds the highest number that any reader can have seen.
    ///
    /// A claim publishes nothing before its first event is in SQL. So if SQL has no more than `response.queued`,
    /// nothing else was ever published, whatever the bus has forgotten.
    pub async fn find(cx: &JobContext, stream: StreamId) -> PortResult<Self> {
        // In SQL this claim is the only writer already, so neither answer depends on the other.
        let (published, durable) =
            tokio::join!(cx.ports.bus.seize(stream, cx.claim.fence), cx.ports.store.last_event(stream));
        let durable = durable?;
        let begun = cx.claim.attempt > 1 || durable > QUEUED;
        let start = match published {
            Some(seen) if seen > durable => {
                let recovered = recover(cx, stream, durable, seen).await.unwrap_or_default();
                let restarted = begun || seen > QUEUED;
                Self { next: seen + 1, restarted, jumped: false, recovered, unheard: Vec::new() }
            }
            Some(seen) if seen == durable => Self::after(durable, begun, 0),
            _ if durable <= QUEUED => Self::after(durable, begun, 0),
            Some(seen) => match first_of_a_claim(cx, stream, seen).await? {
                Some(unheard) => Self { unheard, ..Self::after(durable, begun, 0) },
                None => Self::after(durable, begun, JUMP), // the bus has lost something
            },
            None => Self::after(durable, begun, JUMP),
        };
        Ok(start)
    }

    fn after(durable: u64, restarted: bool, jump: u64) -> Self {
        let (recovered, unheard) = (Vec::new(), Vec::new());
        Self { next: durable + jump + 1, restarted, jumped: jump > 0, recovered, unheard }
    }
}

/// The stored events that the bus has not seen, if a claim begins with them: it was lost before it published anything,
/// so nobody can have seen more.
async fn first_of_a_claim(cx: &JobContext, stream: StreamId, seen: u64) -> PortResult<Option<Vec<Event>>> {
    let unheard = cx.ports.store.events_after(stream, seen).await?;
    let begins = |event: &Event| matches!(&*event.name, "response.restarted" | "response.in_progress");
    Ok(unheard.first().is_some_and(begins).then_some(unheard))
}

/// Reads events `after + 1 ..= until` from the bus: what a lost worker published but did not store.
async fn recover(cx: &JobContext, stream: StreamId, after: u64, until: u64) -> Option<Vec<Event>> {
    let read = async {
        let mut follower = cx.ports.bus.follow(stream).await.ok()?;
        let mut events: Vec<Event> = Vec::new();
        let mut last = after;
        while last < until {
            let Ok(Tail::Events(batch)) = follower.next(last).await else {
                return None;
            };
            events.extend(batch.into_iter().filter(|event| event.seq > after && event.seq <= until));
            last = events.last()?.seq;
        }
        Some(events)
    };
    tokio::select! {
        events = read => events,
        () = cx.ports.clock.sleep(RECOVERY) => None,
    }
}

/// Why the earlier attempt ended, as `response.restarted` says it.
pub(crate) async fn restart_reason(cx: &JobContext) -> &'static str {
    let Ok(job) = cx.ports.store.job(Some(&cx.claim.tenant), cx.claim.job).await else {
        return "worker_lost";
    };
    match job.errors.last() {
        Some(error) if error.attempt + 1 == cx.claim.attempt => {
            response_failure_code(&error.kind, &error.message)
        }
        _ => "worker_lost",
    }
}
