//! What happens at certain times.

use crate::{JobKind, Reconcile, RunUpkeep, UpkeepTask};
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

/// Every schedule, in the order in which their jobs are best run by hand. The heavy ones come at night and not together.
pub fn schedules() -> Vec<Schedule> {
    let schedule = |name, cron, job| Schedule { name, cron, job };
    vec![
        schedule("purge_streams", "0 25 * * * *", |tenant| upkeep(tenant, UpkeepTask::PurgeStreams)),
        schedule("purge_contexts", "0 5 * * * *", |tenant| upkeep(tenant, UpkeepTask::PurgeContexts)),
        schedule("purge_answers", "0 15 * * * *", |tenant| upkeep(tenant, UpkeepTask::PurgeAnswers)),
        schedule("purge_jobs", "0 35 * * * *", |tenant| upkeep(tenant, UpkeepTask::PurgeJobs)),
        schedule("purge_usage", "0 20 3 * * *", |tenant| upkeep(tenant, UpkeepTask::PurgeUsage)),
        schedule("reconcile", "0 30 2 * * *", |tenant| Reconcile {}.job(tenant)),
        schedule("reindex", "0 10 3 * * Sun", |tenant| upkeep(tenant, UpkeepTask::Reindex)),
        schedule("vacuum", "0 40 3 * * *", |tenant| upkeep(tenant, UpkeepTask::Vacuum)),
        schedule("analyze", "0 50 3 * * *", |tenant| upkeep(tenant, UpkeepTask::Analyze)),
    ]
}

fn upkeep(tenant: &Tenant, task: UpkeepTask) -> NewJob {
    RunUpkeep { task }.job(tenant)
}
