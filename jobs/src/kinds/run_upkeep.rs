//! Cleans up rows, in bounded steps that never block the chat.

use crate::{Done, JobContext, JobError, JobKind};
use async_trait::async_trait;
use chat_core::{Lane, RetryPolicy, ports::Upkeep};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// How long stream events are kept.
const STREAM_AGE: Duration = Duration::from_hours(7 * 24);
/// How long jobs are kept after their end.
const JOB_AGE: Duration = Duration::from_hours(7 * 24);
/// How long usage is kept: a year and a month, so that a month can be compared with the same one a year before.
const USAGE_AGE: Duration = Duration::from_hours(400 * 24);

/// A clean-up by its name, as the command line and payloads write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpkeepTask {
    /// Refreshes the planner's statistics.
    Analyze,
    /// Rebuilds indexes.
    Reindex,
    /// Removes stream events older than seven days.
    PurgeStreams,
    /// Removes retrieved passages that have expired.
    PurgeContexts,
    /// Gives space back.
    Vacuum,
    /// Removes jobs that ended more than seven days ago; dead ones stay four times as long.
    PurgeJobs,
    /// Removes kept answers older than a day.
    PurgeAnswers,
    /// Removes usage older than 400 days.
    PurgeUsage,
}

impl UpkeepTask {
    /// Every clean-up.
    pub const ALL: [Self; 8] = [
        Self::PurgeStreams,
        Self::PurgeContexts,
        Self::PurgeAnswers,
        Self::PurgeJobs,
        Self::PurgeUsage,
        Self::Reindex,
        Self::Vacuum,
        Self::Analyze,
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Analyze => "analyze",
            Self::Reindex => "reindex",
            Self::PurgeStreams => "purge_streams",
            Self::PurgeContexts => "purge_contexts",
            Self::Vacuum => "vacuum",
            Self::PurgeJobs => "purge_jobs",
            Self::PurgeAnswers => "purge_answers",
            Self::PurgeUsage => "purge_usage",
        }
    }

    /// What the store does for it.
    pub fn upkeep(self) -> Upkeep {
        match self {
            Self::Analyze => Upkeep::Analyze,
            Self::Reindex => Upkeep::Reindex,
            Self::PurgeStreams => Upkeep::PurgeStreams(STREAM_AGE),
            Self::PurgeContexts => Upkeep::PurgeContexts,
            Self::Vacuum => Upkeep::Vacuum,
            Self::PurgeJobs => Upkeep::PurgeJobs(JOB_AGE),
            Self::PurgeAnswers => Upkeep::PurgeAnswers,
            Self::PurgeUsage => Upkeep::PurgeUsage(USAGE_AGE),
        }
    }
}

/// Does one clean-up until nothing is left to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunUpkeep {
    /// Which.
    pub task: UpkeepTask,
}

#[async_trait]
impl JobKind for RunUpkeep {
    const KIND: &'static str = "run_upkeep.v1";
    const LANE: Lane = Lane::Maintenance;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 3, base: Duration::from_secs(30), cap: Duration::from_mins(10) };
    const TIMEOUT: Duration = Duration::from_hours(1);

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        let mut rows = 0;
        loop {
            let step = cx.ports.store.upkeep(self.task.upkeep()).await?;
            rows += step;
            if step == 0 {
                break;
            }
            cx.progress(json!({"rows": rows})).await?;
        }
        Ok(Done { result: Some(json!({"task": self.task.as_str(), "rows": rows})), ..Done::default() })
    }
}
