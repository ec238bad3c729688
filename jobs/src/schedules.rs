//! What happens at certain times.

use crate::{JobKind, RunUpkeep, UpkeepTask};
use chat_core::{NewJob, Tenant};

/// A job that is enqueued at every tick of a schedule.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// Its name; part of the unique key of each tick.
    pub name: &'static str,
    /// When, UTC: seconds, minutes, hours, day of month, month, day of week.
    pub cron: &'static str,
    /// The job of one tick.
    pub job: fn(&Tenant) -> NewJob,
}

/// Every schedule. The heavy ones come at night and not together.
pub fn schedules() -> Vec<Schedule> {
    vec![
        Schedule {
            name: "purge_contexts",
            cron: "0 5 * * * *",
            job: |tenant| upkeep(tenant, UpkeepTask::PurgeContexts),
        },
        Schedule {
            name: "purge_answers",
            cron: "0 15 * * * *",
            job: |tenant| upkeep(tenant, UpkeepTask::PurgeAnswers),
        },
        Schedule {
            name: "purge_streams",
            cron: "0 25 * * * *",
            job: |tenant| upkeep(tenant, UpkeepTask::PurgeStreams),
        },
        Schedule {
            name: "purge_jobs",
            cron: "0 35 * * * *",
            job: |tenant| upkeep(tenant, UpkeepTask::PurgeJobs),
        },
        Schedule {
            name: "purge_usage",
            cron: "0 20 3 * * *",
            job: |tenant| upkeep(tenant, UpkeepTask::PurgeUsage),
        },
        Schedule {
            name: "reindex",
            cron: "0 10 3 * * Sun",
            job: |tenant| upkeep(tenant, UpkeepTask::Reindex),
        },
        Schedule { name: "vacuum", cron: "0 40 3 * * *", job: |tenant| upkeep(tenant, UpkeepTask::Vacuum) },
        Schedule { name: "analyze", cron: "0 50 3 * * *", job: |tenant| upkeep(tenant, UpkeepTask::Analyze) },
    ]
}

fn upkeep(tenant: &Tenant, task: UpkeepTask) -> NewJob {
    RunUpkeep { task }.job(tenant)
}
