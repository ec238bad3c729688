//! What the metrics mean, as `/metrics` tells it. Those who count them choose the names; dashboards rely on them.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Jobs that are there, by lane, kind and state.
pub(super) const DEPTH: &str = "jobs_queue_depth";
/// The age of the oldest job of a lane that does not run yet, in seconds.
pub(super) const OLDEST: &str = "jobs_oldest_waiting_seconds";
/// Whether a lane is paused: 1, else 0.
pub(super) const PAUSED: &str = "jobs_lane_paused";
/// Memory of this process, in bytes.
pub(super) const RESIDENT: &str = "process_resident_memory_bytes";
/// Connections to the database that are open.
pub(super) const POOL: &str = "db_pool_size";
/// Those of them that are in use.
pub(super) const CHECKED_OUT: &str = "db_pool_checked_out";
/// What Redis uses, in bytes.
pub(super) const REDIS_MEMORY: &str = "redis_memory_used_bytes";
/// Which program this is.
pub(super) const BUILD: &str = "chat_build_info";

const COUNTERS: [(&str, &str); 15] = [
    ("chat_messages_processed_total", "Turns that ended, by status"),
    ("jobs_enqueued_total", "Jobs enqueued, by kind and lane"),
    ("jobs_started_total", "Attempts begun, by kind and lane"),
    ("jobs_finished_total", "Jobs that succeeded, by kind and lane"),
    ("jobs_failed_total", "Attempts that failed, by kind and lane"),
    ("jobs_retried_total", "Failed attempts that are tried again, by kind and lane"),
    ("jobs_dead_total", "Jobs given up, by kind and lane"),
    ("jobs_cancelled_total", "Jobs stopped on request, by kind and lane"),
    ("jobs_reaped_total", "Jobs whose worker was gone"),
    ("cache_hits_total", "Questions to a cache that it answered, by cache"),
    ("cache_misses_total", "Questions to a cache that the database had to answer, by cache"),
    ("llm_tokens_total", "Tokens read and written by models, by model and direction"),
    ("requests_refused_total", "Requests refused by a limit, by reason and by whose limit it was"),
    ("websocket_closed_total", "WebSockets that ended, by the code that says why"),
    ("llm_cost_microdollars_total", "Cost of models in millionths of a US dollar, by model"),
];

const TIMES: [(&str, &str); 3] = [
    ("jobs_run_seconds", "How long attempts ran, by kind and lane"),
    ("jobs_wait_seconds", "From the time a job could begin to its claim, by kind and lane"),
    (
        "llm_time_to_first_token_seconds",
        "From a turn's acceptance to the first piece of its answer, by model",
    ),
];

/// Describes what the other crates count.
pub(super) fn describe() {
    for (name, text) in COUNTERS {
        describe_counter!(name, text);
    }
    for (name, text) in TIMES {
        describe_histogram!(name, Unit::Seconds, text);
    }
    describe_gauge!(DEPTH, "Jobs that have not ended, by lane, kind and state");
    describe_gauge!(OLDEST, Unit::Seconds, "Age of the oldest job that does not run yet, by lane");
    describe_gauge!(PAUSED, "1 if nothing of a lane is handed out, by lane");
    describe_gauge!(RESIDENT, Unit::Bytes, "Resident memory of this process");
    describe_gauge!("websocket_active_connections", "WebSockets that are open");
    describe_gauge!(POOL, "Open connections of this process to the database");
    describe_gauge!(CHECKED_OUT, "Connections of this process to the database that are in use");
    describe_gauge!(REDIS_MEMORY, Unit::Bytes, "Memory that Redis uses");
    describe_gauge!(BUILD, "Always 1; its label says which version this is");
}
