//! Names of the metrics: dashboards and alerts rely on them.

/// Attempts begun, by kind and lane.
pub(crate) const STARTED: &str = "jobs_started_total";
/// Jobs that succeeded, by kind and lane.
pub(crate) const FINISHED: &str = "jobs_finished_total";
/// Attempts that failed, by kind and lane.
pub(crate) const FAILED: &str = "jobs_failed_total";
/// Failed attempts that will be tried again, by kind and lane.
pub(crate) const RETRIED: &str = "jobs_retried_total";
/// Jobs given up, by kind and lane.
pub(crate) const DEAD: &str = "jobs_dead_total";
/// Jobs stopped on request, by kind and lane.
pub(crate) const CANCELLED: &str = "jobs_cancelled_total";
/// Runs that were put off because the model's provider had asked for a pause, by kind and lane.
pub(crate) const DEFERRED: &str = "jobs_deferred_total";
/// All of these.
pub(crate) const COUNTED: [&str; 7] = [STARTED, FINISHED, FAILED, RETRIED, DEAD, CANCELLED, DEFERRED];
/// Seconds that an attempt ran, by kind and lane.
pub(crate) const RUN_SECONDS: &str = "jobs_run_seconds";
/// Seconds between the time a job could begin and its claim, by kind and lane.
pub(crate) const WAIT_SECONDS: &str = "jobs_wait_seconds";
/// Jobs whose worker was gone.
pub(crate) const REAPED: &str = "jobs_reaped_total";
