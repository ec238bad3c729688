//! Claiming the next jobs of a lane's backlog, in fair order.
//!
//! A job that is claimed leaves a dead entry at the front of `idx_jobs_available`, and until a vacuum has been there a
//! look from the front passes over all of them: after 400,000 jobs a claim of 256 read 4,900 pages in 25 ms. So for a
//! second claims begin where an earlier one found its first job. What comes before that place and is not of a higher
//! priority is rare (a retry, a job of a process whose fair clock lags) and found by the next look from the front, which
//! is made at once when nothing else waits.

use super::{
    claim::{ClaimRow, LostClaims, read},
    control::CANCEL_PRIORITY,
};
use crate::{
    clock::SharedClock,
    error::{is_transient, port_error},
};
use chat_core::{Claim, Fence, Lane, PortResult, WorkerId};
use sqlx::PgPool;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// How long claims begin at the same place.
const BEGINS_FOR: Duration = Duration::from_secs(1);

/// A place in a lane's order.
#[derive(Debug, Clone, Copy)]
struct Place {
    priority: i32,
    vtime: f64,
    id: Uuid,
}

impl Place {
    /// Before every job.
    const FRONT: Self = Self { priority: i32::MAX, vtime: 0.0, id: Uuid::nil() };

    /// The first of the lowest priority that was claimed. Jobs of higher ones are looked for from the front anyway.
    fn of(rows: &[ClaimRow]) -> Option<Self> {
        let lowest = rows.last()?.priority;
        let first = rows.iter().find(|row| row.priority == lowest)?;
        Some(Self { priority: lowest, vtime: first.vtime, id: first.id })
    }
}

/// Where claims of each lane begin, and since when.
#[derive(Default)]
pub(crate) struct Beginnings(Mutex<HashMap<Lane, (Place, Instant)>>);

impl Beginnings {
    fn lock(&self) -> MutexGuard<'_, HashMap<Lane, (Place, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, lane: Lane) -> Option<Place> {
        self.lock().get(&lane).filter(|(_, since)| since.elapsed() < BEGINS_FOR).map(|(place, _)| *place)
    }

    fn set(&self, lane: Lane, place: Option<Place>) {
        match place {
            Some(place) => self.lock().insert(lane, (place, Instant::now())),
            None => self.lock().remove(&lane),
        };
    }
}

/// Claims the next jobs: who, of which lane, and how many at most.
pub(crate) async fn claim_next(
    pool: &PgPool,
    (lost, begins): (&LostClaims, &Beginnings),
    clock: &SharedClock,
    (worker, lane, limit): (WorkerId, Lane, usize),
) -> PortResult<Vec<Claim>> {
    // One for all of these jobs, which tells this claim from any other of them.
    let fence = Fence::new().0;
    let claimed = next_from(pool, begins, (worker, fence), (lane, limit)).await;
    let rows = claimed.map_err(|error| {
        lost.lock().push((worker, fence));
        port_error(error)
    })?;
    let mut clock = clock.lock();
    for row in &rows {
        clock.advance(lane, row.vtime);
    }
    Ok(rows.into_iter().map(|row| read(row).1).collect())
}

/// In their order. Fewer than `limit`: the whole lane was looked at.
async fn next_from(
    pool: &PgPool,
    begins: &Beginnings,
    by: (WorkerId, Uuid),
    (lane, limit): (Lane, usize),
) -> sqlx::Result<Vec<ClaimRow>> {
    let begin = begins.get(lane);
    let mut rows = next(pool, by, begin.unwrap_or(Place::FRONT), (lane, limit)).await?;
    let is_short = rows.len() < limit;
    if begin.is_some() && is_short {
        rows.extend(next(pool, by, Place::FRONT, (lane, limit - rows.len())).await?);
    }
    // RETURNING promises no order.
    rows.sort_by(|a, b| b.priority.cmp(&a.priority).then(a.vtime.total_cmp(&b.vtime)).then(a.id.cmp(&b.id)));
    if begin.is_none() || is_short {
        begins.set(lane, Place::of(&rows).filter(|_| rows.len() == limit));
    }
    Ok(rows)
}

async fn next(
    pool: &PgPool,
    by: (WorkerId, Uuid),
    begin: Place,
    jobs: (Lane, usize),
) -> sqlx::Result<Vec<ClaimRow>> {
    loop {
        match claim(pool, by, begin, jobs).await {
            Err(error) if is_transient(&error) => {}
            claimed => return claimed,
        }
    }
}

/// Of a paused lane only the jobs that are to be cancelled, which have at least a priority of their own: its backlog is
/// not searched for them. What another process claims at the moment is left to it.
///
/// Jobs of higher priority than where it begins, those of the same priority from there on, then those of a lower one:
/// each is one walk along the index, and only as far as is needed.
async fn claim(
    pool: &PgPool,
    (worker, fence): (WorkerId, Uuid),
    begin: Place,
    (lane, limit): (Lane, usize),
) -> sqlx::Result<Vec<ClaimRow>> {
    sqlx::query_as!(
        ClaimRow,
        r#"WITH asked AS MATERIALIZED (
             SELECT paused, CASE WHEN paused THEN $5::int4 ELSE $6::int4 END AS least
             FROM (SELECT EXISTS (SELECT 1 FROM paused_lanes WHERE lane = $1) AS paused) AS state
         ), next AS MATERIALIZED (
             SELECT id FROM (
                 SELECT id FROM jobs WHERE state = 1 AND lane = $1 AND priority > $7
                     AND priority >= (SELECT least FROM asked) AND (cancel_requested OR NOT (SELECT paused FROM asked))
                 ORDER BY priority DESC, vtime, id LIMIT $2 FOR UPDATE SKIP LOCKED
             ) AS higher UNION ALL SELECT id FROM (
                 SELECT id FROM jobs WHERE state = 1 AND lane = $1 AND priority = $7 AND (vtime, id) >= ($8, $9)
                     AND priority >= (SELECT least FROM asked) AND (cancel_requested OR NOT (SELECT paused FROM asked))
                 ORDER BY vtime, id LIMIT $2 FOR UPDATE SKIP LOCKED
             ) AS same UNION ALL SELECT id FROM (
                 SELECT id FROM jobs WHERE state = 1 AND lane = $1 AND priority < $7
                     AND priority >= (SELECT least FROM asked) AND (cancel_requested OR NOT (SELECT paused FROM asked))
                 ORDER BY priority DESC, vtime, id LIMIT $2 FOR UPDATE SKIP LOCKED
             ) AS lower LIMIT $2
         )
         UPDATE jobs SET state = 3, attempt = attempt + 1, fence = $4, worker = $3, started_at = chat_now(),
                         handed_at = NULL
         FROM next WHERE jobs.id = next.id
         RETURNING jobs.id, jobs.fence AS "fence!", kind, lane, tenant, payload, attempt, max_attempts,
                   cancel_requested, failed_children, trace_parent, created_at, run_at, started_at AS "started_at!",
                   jobs.worker AS "worker!", priority, vtime"#,
        lane.as_str(),
        limit as i64,
        worker.0,
        fence,
        CANCEL_PRIORITY,
        i32::from(i16::MIN),
        begin.priority,
        begin.vtime,
        begin.id
    )
    .fetch_all(pool)
    .await
}
