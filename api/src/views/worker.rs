use chat_core::{Timestamp, WorkerId, WorkerState};
use serde::Serialize;
use utoipa::ToSchema;

/// A worker that lives.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Worker)]
pub struct WorkerView {
    /// Its id.
    #[schema(value_type = String)]
    id: WorkerId,
    /// `worker`.
    #[schema(example = "worker")]
    object: &'static str,
    /// The lanes that it takes jobs from.
    lanes: Vec<WorkerLaneView>,
    /// How many jobs it holds.
    running: u64,
    /// The version of its program.
    version: String,
    /// When it was started, by its own clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    /// When it last said that it lives, by the database's clock.
    #[schema(value_type = String, format = DateTime)]
    last_seen: Timestamp,
}

/// A lane of a worker.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkerLane)]
pub struct WorkerLaneView {
    /// The lane's name.
    #[schema(example = "chat")]
    name: &'static str,
    /// How many of its jobs run at once. An older program does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    slots: Option<usize>,
}

impl From<WorkerState> for WorkerView {
    fn from(worker: WorkerState) -> Self {
        let lanes = worker.lanes.iter();
        Self {
            id: worker.id,
            object: "worker",
            lanes: lanes.map(|of| WorkerLaneView { name: of.lane.as_str(), slots: of.slots }).collect(),
            running: worker.running,
            started_at: worker.started_at(),
            last_seen: worker.last_seen,
            version: worker.version,
        }
    }
}
