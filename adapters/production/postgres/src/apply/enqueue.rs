//! Enqueueing.

use super::{Enqueues, Tx, commit::Failed, control};
use crate::{
    batch::Work,
    clock::SharedClock,
    error::{is_transient, port_error},
};
use chat_core::{
    Busy, Change, Committed, JobFilter, JobId, JobState, NewJob, PortResult, Ready, Tenant, Timestamp,
};
use sqlx::{PgExecutor, PgPool};
use std::sync::Arc;
use uuid::Uuid;

/// Whether a change is a job that needs no look at other rows.
pub(super) fn is_plain(change: &Change) -> bool {
    matches!(change, Change::Enqueue(job) if job.unique.is_none()
        && job.concurrency_key.is_none()
        && job.parent.is_none()
        && job.pending_children == 0)
}

/// Inserts the plain jobs of a whole group with one statement.
pub(crate) fn enqueue_work(pool: PgPool, clock: Arc<SharedClock>) -> Work<Enqueues, Committed> {
    Arc::new(move |requests| {
        let (pool, clock) = (pool.clone(), clock.clone());
        Box::pin(async move { enqueue_all(&pool, &clock, &requests).await })
    })
}

async fn enqueue_all(
    pool: &PgPool,
    clock: &SharedClock,
    requests: &[Enqueues],
) -> PortResult<Vec<PortResult<Committed>>> {
    clock.agree(pool).await?;
    // The database's clock is asked only when it decides something.
    let now = if requests.iter().flatten().any(|job| job.run_at.is_some()) {
        Some(
            sqlx::query_scalar!(r#"SELECT chat_now() AS "now!""#)
                .fetch_one(pool)
                .await
                .map(Timestamp)
                .map_err(port_error)?,
        )
    } else {
        None
    };
    let (mut columns, mut answers) = (Columns::default(), Vec::with_capacity(requests.len()));
    for jobs in requests {
        let mut committed = Committed::default();
        for job in jobs {
            let place = Place::of(job, now, clock);
            columns.push(job, place, false);
            note(&mut committed, job, place, clock);
        }
        answers.push(Ok(committed));
    }
    if columns.ids.is_empty() {
        return Ok(answers);
    }
    loop {
        match columns.insert(pool).await {
            Ok(()) => return Ok(answers),
            Err(error) if is_transient(&error) => {}
            Err(error) => return Err(port_error(error)),
        }
    }
}

/// Where a new job begins.
#[derive(Clone, Copy)]
struct Place {
    state: JobState,
    vtime: f64,
}

impl Place {
    fn of(job: &NewJob, now: Option<Timestamp>, clock: &SharedClock) -> Self {
        let state =
            if job.pending_children > 0 || job.run_at.is_some_and(|at| now.is_some_and(|now| at > now)) {
                JobState::Waiting
            } else if job.handed {
                JobState::Handed
            } else {
                JobState::Available
            };
        Self { state, vtime: clock.start(job.lane, &job.tenant, job.cost) }
    }

    /// The same, behind another job if it has to wait for its turn.
    fn behind(blocked: bool, job: &NewJob, tx: &Tx<'_>) -> Self {
        let place = Self::of(job, Some(tx.now), tx.clock);
        if blocked { Self { state: JobState::Waiting, ..place } } else { place }
    }
}

/// New rows, column by column: one array each.
#[derive(Default)]
pub(super) struct Columns<'a> {
    ids: Vec<Uuid>,
    kinds: Vec<&'a str>,
    lanes: Vec<&'a str>,
    tenants: Vec<&'a str>,
    priorities: Vec<i32>,
    vtimes: Vec<f64>,
    payloads: Vec<&'a str>,
    states: Vec<i16>,
    attempts: Vec<i32>,
    run_ats: Vec<Option<i64>>,
    sessions: Vec<Option<Uuid>>,
    documents: Vec<Option<Uuid>>,
    keys: Vec<Option<&'a str>>,
    blocked: Vec<bool>,
    traces: Vec<Option<String>>,
}

impl<'a> Columns<'a> {
    /// Adds a job, which waits for its turn if it is blocked, and notes what is to be announced.
    pub(super) fn place(&mut self, job: &'a NewJob, blocked: bool, tx: &Tx<'_>, committed: &mut Committed) {
        let place = Place::behind(blocked, job, tx);
        self.push(job, place, blocked);
        note(committed, job, place, tx.clock);
    }

    fn push(&mut self, job: &'a NewJob, place: Place, blocked: bool) {
        self.ids.push(job.id.0);
        self.kinds.push(&job.kind);
        self.lanes.push(job.lane.as_str());
        self.tenants.push(job.tenant.as_str());
        self.priorities.push(job.priority.into());
        self.vtimes.push(place.vtime);
        self.payloads.push(&job.payload);
        self.states.push(place.state as i16);
        self.attempts.push(job.max_attempts.into());
        self.run_ats.push(job.run_at.map(|at| at.0));
        self.sessions.push(job.session.map(|id| id.0));
        self.documents.push(job.document.map(|id| id.0));
        self.keys.push(job.concurrency_key.as_deref());
        self.blocked.push(blocked);
        self.traces.push(job.trace.map(|trace| trace.to_string()));
    }

    /// Writes all of them.
    pub(super) async fn insert(&self, to: impl PgExecutor<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO jobs (id, kind, lane, tenant, priority, vtime, payload, state, max_attempts,
                               allowance, run_at, session, document, concurrency_key, blocked,
                               trace_parent, created_at, handed_at)
             SELECT id, kind, lane, tenant, priority, vtime, payload, state, attempts, attempts,
                    coalesce(run_at, now), session, document, key, blocked, trace, now,
                    CASE state WHEN 2 THEN now END
             FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int4[], $6::float8[],
                         $7::text[], $8::int2[], $9::int4[], $10::int8[], $11::uuid[], $12::uuid[],
                         $13::text[], $14::bool[], $15::text[])
                  AS row (id, kind, lane, tenant, priority, vtime, payload, state, attempts, run_at,
                          session, document, key, blocked, trace),
                  (SELECT chat_now() AS now) AS clock",
            &self.ids[..],
            &self.kinds[..] as _,
            &self.lanes[..] as _,
            &self.tenants[..] as _,
            &self.priorities[..],
            &self.vtimes[..],
            &self.payloads[..] as _,
            &self.states[..],
            &self.attempts[..],
            &self.run_ats[..] as _,
            &self.sessions[..] as _,
            &self.documents[..] as _,
            &self.keys[..] as _,
            &self.blocked[..],
            &self.traces[..] as _
        )
        .execute(to)
        .await
        .map(drop)
    }
}

/// Inserts one job that may be unique, wait for its turn, or have children or a parent.
pub(super) async fn insert(tx: &mut Tx<'_>, job: &NewJob, committed: &mut Committed) -> sqlx::Result<()> {
    let blocked = match &job.concurrency_key {
        Some(key) => {
            lock_key(tx, key).await?;
            is_held(tx, key).await?
        }
        None => false,
    };
    let place = Place::behind(blocked, job, tx);
    loop {
        if insert_row(tx, job, place, blocked).await? {
            note(committed, job, place, tx.clock);
            return Ok(());
        }
        // Who had the key when this began may have ended since: then it is free.
        let holder = sqlx::query_scalar!(
            "SELECT id FROM jobs WHERE unique_key = $1",
            job.unique.as_ref().map(|unique| unique.key.as_str())
        )
        .fetch_optional(&mut *tx.conn)
        .await?;
        if let Some(holder) = holder {
            committed.jobs.push(JobId(holder));
            return Ok(());
        }
    }
}

async fn insert_row(tx: &mut Tx<'_>, job: &NewJob, place: Place, blocked: bool) -> sqlx::Result<bool> {
    let (unique, forever) = job
        .unique
        .as_ref()
        .map_or((None, false), |unique| (Some(unique.key.as_str()), !unique.while_unfinished));
    let inserted = sqlx::query!(
        "INSERT INTO jobs (id, kind, lane, tenant, priority, vtime, payload, state, blocked,
                           max_attempts, allowance, unique_key, unique_forever, concurrency_key, parent,
                           pending_children, session, document, run_at, created_at, handed_at, trace_parent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8::smallint, $9, $10, $10, $11, $12, $13, $14, $15, $16, $17,
                 $18, $19, CASE $8::smallint WHEN 2 THEN $19::bigint END, $20)
         ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO NOTHING",
        job.id.0,
        &*job.kind,
        job.lane.as_str(),
        job.tenant.as_str(),
        i32::from(job.priority),
        place.vtime,
        job.payload,
        place.state as i16,
        blocked,
        i32::from(job.max_attempts),
        unique,
        forever,
        job.concurrency_key,
        job.parent.map(|id| id.0),
        job.pending_children as i32,
        job.session.map(|id| id.0),
        job.document.map(|id| id.0),
        job.run_at.unwrap_or(tx.now).0,
        tx.now.0,
        job.trace.map(|trace| trace.to_string())
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Until the end of the transaction nobody else decides whose turn it is under this key.
pub(super) async fn lock_key(tx: &mut Tx<'_>, key: &str) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
        .execute(&mut *tx.conn)
        .await
        .map(drop)
}

/// Whether an unfinished job has this key.
async fn is_held(tx: &mut Tx<'_>, key: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM jobs WHERE concurrency_key = $1 AND state < 4) AS "held!""#,
        key
    )
    .fetch_one(&mut *tx.conn)
    .await
}

/// Refuses if a tenant's unfinished jobs have this key, or asks them to stop.
pub(super) async fn clear_key(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    key: &str,
    busy: Busy,
    committed: &mut Committed,
) -> Result<(), Failed> {
    lock_key(tx, key).await?;
    let open = sqlx::query_scalar!(
        "SELECT id FROM jobs WHERE concurrency_key = $1 AND state < 4 AND tenant = $2 ORDER BY id",
        key,
        tenant.as_str()
    )
    .fetch_all(&mut *tx.conn)
    .await?;
    let open: Vec<_> = open.into_iter().map(JobId).collect();
    match (open.first(), busy) {
        (None, _) => Ok(()),
        (Some(first), Busy::Refuse) => Err(Busy::refusal(*first).into()),
        (Some(_), Busy::Cancel) => Ok(control::cancel(tx, &JobFilter::default(), &open, committed).await?),
    }
}

/// Says what is to be announced once the job is durable.
fn note(committed: &mut Committed, job: &NewJob, place: Place, clock: &SharedClock) {
    committed.jobs.push(job.id);
    match place.state {
        JobState::Handed => {
            clock.lock().advance(job.lane, place.vtime);
            committed.ready.push(Ready { job: job.id, lane: job.lane, priority: job.priority });
        }
        JobState::Available => committed.add_backlog(job.lane),
        _ => {
            if let Some(at) = job.run_at.filter(|_| job.pending_children == 0) {
                committed.due = Some(committed.due.map_or(at, |due| due.min(at)));
            }
        }
    }
}
