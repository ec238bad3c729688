use super::{from_json, page};
use crate::{PostgresStore, apply::narrow, error::port_error};
use chat_core::{
    Claim, DocumentId, Job, JobFilter, JobId, JobState, Lane, LaneState, LaneStats, Page, PageRequest,
    PortError, PortResult, SessionId, Tenant, Timestamp, TraceParent, WorkerId, WorkerState,
    ports::{JobStore, Reaped},
    waiting_for,
};
use sqlx::{Postgres, QueryBuilder, Row, postgres::PgRow};
use std::time::Duration;
use uuid::Uuid;

/// Jobs, with this as their result.
macro_rules! select {
    ($result:literal) => {
        concat!(
            "SELECT id, kind, lane, tenant, priority, state, attempt, max_attempts, payload, run_at, blocked,
             pending_children, worker, progress, ",
            $result,
            ", errors, parent, cancel_requested, session, document, created_at, started_at, finished_at,
             lane IN (SELECT lane FROM paused_lanes), trace_parent, waits_for FROM jobs WHERE 1 = 1"
        )
    };
}

const JOB: &str = select!("result");
/// A result may have megabytes: a list goes without.
const JOBS: &str = select!("NULL::text");

#[async_trait::async_trait]
impl JobStore for PostgresStore {
    async fn claim(&self, worker: WorkerId, ids: Vec<JobId>) -> PortResult<Vec<Claim>> {
        self.claim_jobs(worker, ids).await
    }

    async fn claim_next(&self, worker: WorkerId, lane: Lane, limit: usize) -> PortResult<Vec<Claim>> {
        self.claim_next_jobs(worker, lane, limit).await
    }

    async fn promote_due(&self) -> PortResult<(Vec<Lane>, Option<Timestamp>)> {
        self.promote_due_jobs().await
    }

    async fn heartbeat(&self, worker: WorkerId, lanes: &[(Lane, usize)]) -> PortResult<()> {
        self.beat(worker, lanes).await
    }

    async fn retire(&self, worker: WorkerId) -> PortResult<()> {
        self.retire_worker(worker).await
    }

    async fn asked_to_stop(&self, running: Vec<JobId>) -> PortResult<Vec<JobId>> {
        let running: Vec<_> = running.iter().map(|job| job.0).collect();
        let asked = sqlx::query_scalar!(
            "SELECT id FROM jobs WHERE id = ANY($1) AND state + 0 = 3 AND cancel_requested",
            &running[..]
        )
        .fetch_all(self.pool())
        .await
        .map_err(port_error)?;
        Ok(asked.into_iter().map(JobId).collect())
    }

    async fn reap(&self, lease: Duration, offer_again: Duration) -> PortResult<Reaped> {
        self.reap_jobs(lease, offer_again).await
    }

    async fn job(&self, tenant: Option<&Tenant>, id: JobId) -> PortResult<Job> {
        let filter = JobFilter { tenant: tenant.cloned(), ..JobFilter::default() };
        let mut query = QueryBuilder::new(JOB);
        narrow(&mut query, &filter, &[id]);
        let row = query.build().fetch_optional(self.pool()).await.map_err(port_error)?;
        row.as_ref().map(read).ok_or_else(|| PortError::not_found(id))
    }

    async fn jobs(&self, filter: &JobFilter, request: PageRequest) -> PortResult<Page<Job>> {
        let mut query = QueryBuilder::<Postgres>::new(JOBS);
        narrow(&mut query, filter, &[]);
        page(&mut query, "id", request);
        let rows = query.build().fetch_all(self.pool()).await.map_err(port_error)?;
        Ok(Page::of(rows.iter().map(read).collect(), request.limit))
    }

    async fn lane_stats(&self, unfinished_only: bool) -> PortResult<Vec<LaneStats>> {
        // State by state: each of an unfinished job has an index of its own, and ended jobs are many.
        let rows = sqlx::query!(
            r#"SELECT lane AS "lane!", kind AS "kind!", state AS "state!", count(*) AS "count!", min(created_at) AS "oldest!"
               FROM (SELECT lane, kind, state, created_at FROM jobs WHERE state = 0
                     UNION ALL SELECT lane, kind, state, created_at FROM jobs WHERE state = 1
                     UNION ALL SELECT lane, kind, state, created_at FROM jobs WHERE state = 2
                     UNION ALL SELECT lane, kind, state, created_at FROM jobs WHERE state = 3
                     UNION ALL SELECT lane, kind, state, created_at FROM jobs WHERE state >= 4 AND NOT $1) AS jobs
               GROUP BY lane, kind, state"#,
            unfinished_only
        )
        .fetch_all(self.pool())
        .await
        .map_err(port_error)?;
        Ok(rows
            .into_iter()
            .map(|row| LaneStats {
                lane: Lane::parse(&row.lane).unwrap_or(Lane::Default),
                kind: row.kind,
                state: JobState::from_number(row.state.into()).unwrap_or(JobState::Dead),
                count: row.count as u64,
                oldest: Timestamp(row.oldest),
            })
            .collect())
    }

    async fn lane_states(&self, window: Duration) -> PortResult<Vec<LaneState>> {
        self.read_lanes(window).await
    }

    async fn workers(&self, lease: Duration) -> PortResult<Vec<WorkerState>> {
        self.read_workers(lease).await
    }

    async fn last_tick(&self, schedule: &str) -> PortResult<Option<Timestamp>> {
        // Ticks are zero-padded milliseconds at the end of the key, so the greatest key is the last tick.
        let key = sqlx::query_scalar!(
            "SELECT max(unique_key) FROM jobs
             WHERE unique_key > $1::text || ':' AND unique_key < $1::text || ';'",
            format!("cron:{schedule}")
        )
        .fetch_one(self.pool())
        .await
        .map_err(port_error)?;
        Ok(key.and_then(|key| key.rsplit(':').next()?.parse().ok()).map(Timestamp))
    }
}

fn read(row: &PgRow) -> Job {
    let state = JobState::from_number(row.get::<i16, _>(5).into()).unwrap_or(JobState::Dead);
    Job {
        id: JobId(row.get::<Uuid, _>(0)),
        kind: row.get(1),
        lane: Lane::parse(row.get(2)).unwrap_or(Lane::Default),
        tenant: Tenant::from(row.get::<&str, _>(3)),
        priority: row.get::<i32, _>(4) as i16,
        state,
        attempt: row.get::<i32, _>(6) as u32,
        max_attempts: row.get::<i32, _>(7) as u32,
        payload: from_json(row.get(8)).unwrap_or_default(),
        run_at: Timestamp(row.get(9)),
        waiting_for: waiting_for(state, row.get(10), row.get::<i32, _>(11) > 0, row.get(23), row.get(25)),
        worker: row.get::<Option<Uuid>, _>(12).map(WorkerId),
        progress: from_json(row.get(13)),
        result: from_json(row.get(14)),
        errors: from_json(row.get(15)).unwrap_or_default(),
        parent: row.get::<Option<Uuid>, _>(16).map(JobId),
        cancel_requested: row.get(17),
        session: row.get::<Option<Uuid>, _>(18).map(SessionId),
        document: row.get::<Option<Uuid>, _>(19).map(DocumentId),
        trace: row.get::<Option<&str>, _>(24).and_then(TraceParent::parse),
        created_at: Timestamp(row.get(20)),
        started_at: row.get::<Option<i64>, _>(21).map(Timestamp),
        finished_at: row.get::<Option<i64>, _>(22).map(Timestamp),
    }
}
