//! What operators see of the job engine: its lanes and its workers.

use crate::{Lane, Timestamp, WorkerId};

/// What is known of a lane besides its jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneState {
    /// The lane.
    pub lane: Lane,
    /// Since when it has been paused, if it is.
    pub paused_at: Option<Timestamp>,
    /// How many of its jobs have ended lately, however they ended.
    pub ended: u64,
}

/// A worker that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerState {
    /// Which.
    pub id: WorkerId,
    /// The lanes that it takes jobs from, and how many at once.
    pub lanes: Vec<LaneSlots>,
    /// The version of its program.
    pub version: String,
    /// When it last said that it lives, by the database's clock.
    pub last_seen: Timestamp,
    /// How many jobs it holds.
    pub running: u64,
}

impl WorkerState {
    /// When it was started, by its own clock: its id says so.
    pub fn started_at(&self) -> Option<Timestamp> {
        let (seconds, nanos) = self.id.0.get_timestamp()?.to_unix();
        Some(Timestamp(seconds as i64 * 1_000 + i64::from(nanos / 1_000_000)))
    }
}

/// A lane of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneSlots {
    /// The lane.
    pub lane: Lane,
    /// How many of its jobs run at once; not known of workers before version 0.2.
    pub slots: Option<usize>,
}

impl LaneSlots {
    /// Lanes and slots as rows keep them: `chat=1024,ingest=2`.
    pub fn write(lanes: &[(Lane, usize)]) -> String {
        let lanes = lanes.iter().map(|(lane, slots)| format!("{}={slots}", lane.as_str()));
        lanes.collect::<Vec<_>>().join(",")
    }

    /// Reads them. Lanes that this version does not know are left out.
    pub fn read(text: &str) -> Vec<Self> {
        let one = |part: &str| {
            let (name, slots) =
                part.split_once('=').map_or((part, None), |(name, slots)| (name, Some(slots)));
            Some(Self { lane: Lane::parse(name)?, slots: slots.and_then(|slots| slots.parse().ok()) })
        };
        text.split(',').filter_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_read_as_they_were_written() {
        let text = LaneSlots::write(&[(Lane::Chat, 1_024), (Lane::Ingest, 2)]);
        let slots = |lane, slots| LaneSlots { lane, slots };
        assert_eq!(LaneSlots::read(&text), [slots(Lane::Chat, Some(1_024)), slots(Lane::Ingest, Some(2))]);
        assert_eq!(LaneSlots::read("chat,future=3"), [slots(Lane::Chat, None)], "an older or newer version");
        assert_eq!(LaneSlots::read(""), []);
    }

    #[test]
    fn a_worker_says_when_it_was_started() {
        let id = WorkerId("019aa0c8-6f30-7aa0-b5a0-0a4f4a1b2c3d".parse().unwrap_or_default());
        let worker =
            WorkerState { id, lanes: vec![], version: String::new(), last_seen: Timestamp(0), running: 0 };
        assert_eq!(worker.started_at(), Some(Timestamp(0x019a_a0c8_6f30)));
    }
}
