//! Commits writes and tells everybody who waits for them: the one place where a commit meets lanes and bus.

use crate::{
    Change, Committed, PortResult, Write,
    ports::{Bus, Control, Lanes, Store},
};
use std::sync::Arc;

/// "SQL remembers, lanes hand out": first the commit, then, only if it is durable, offers and events.
#[derive(Clone)]
pub struct Dispatcher {
    store: Arc<dyn Store>,
    lanes: Arc<dyn Lanes>,
    bus: Arc<dyn Bus>,
}

impl Dispatcher {
    /// A dispatcher over these ports.
    pub fn new(store: Arc<dyn Store>, lanes: Arc<dyn Lanes>, bus: Arc<dyn Bus>) -> Self {
        Self { store, lanes, bus }
    }

    /// Commits, then hands ready jobs out, publishes numbered events, and passes cancel requests on.
    /// What follows the commit is best effort: the reaper, the event log and the claim repair what is lost.
    pub async fn commit(&self, mut write: Write) -> PortResult<Committed> {
        self.hand_directly(&mut write.changes);
        let enqueued: Vec<_> = write
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Enqueue(job) => Some((job.id, job.kind.clone(), job.lane)),
                _ => None,
            })
            .collect();
        let committed = self.store.commit(write).await?;
        for (id, kind, lane) in enqueued {
            if committed.jobs.contains(&id) {
                metrics::counter!("jobs_enqueued_total", "kind" => kind, "lane" => lane.as_str())
                    .increment(1);
            }
        }
        self.announce(&committed).await;
        Ok(committed)
    }

    /// Commits writes that depend on no claim.
    pub async fn record(&self, changes: Vec<Change>) -> PortResult<Committed> {
        self.commit(Write::of(changes)).await
    }

    /// The fast path: a job whose lane has room goes straight to a waiting worker, which need not look into the backlog.
    fn hand_directly(&self, changes: &mut [Change]) {
        for change in changes {
            if let Change::Enqueue(job) = change {
                job.handed = self.lanes.has_room(job.lane);
            }
        }
    }

    async fn announce(&self, committed: &Committed) {
        for lane in &committed.backlog {
            self.lanes.backlog(*lane);
        }
        if let Some(due) = committed.due {
            self.lanes.due(due);
        }
        for (stream, event) in &committed.events {
            self.bus.publish(*stream, None, std::slice::from_ref(event)).await;
        }
        for ready in &committed.ready {
            self.lanes.offer(*ready).await;
        }
        for (job, worker) in &committed.cancel {
            self.bus.control(Control::Cancel { job: *job, worker: *worker }).await;
        }
    }
}
