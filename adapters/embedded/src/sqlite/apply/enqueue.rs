//! Enqueueing.

use super::{Slot, Tx, commit::Failed, control};
use chat_core::{Busy, Change, Committed, JobFilter, JobId, JobState, NewJob, Ready, Tenant};
use sqlx::Row;
use uuid::Uuid;

/// Whether a change is a job that needs no look at other rows.
pub(super) fn is_plain(change: &Change) -> bool {
    matches!(change, Change::Enqueue(job) if job.unique.is_none()
        && job.concurrency_key.is_none()
        && job.parent.is_none()
        && job.pending_children == 0)
}

/// Inserts the plain jobs of the whole group with one statement.
pub(super) async fn insert_all(
    tx: &mut Tx<'_>,
    writes: &mut [(Vec<NewJob>, Slot<Committed>)],
) -> sqlx::Result<()> {
    let mut rows = Vec::with_capacity(writes.len());
    for (jobs, slot) in writes {
        let mut committed = Committed::default();
        for job in jobs {
            let state = first_state(tx, job);
            let vtime = tx.clock.start(job.lane, &job.tenant, job.cost);
            rows.push((
                job.id.0.simple().to_string(),
                &*job.kind,
                job.lane.as_str(),
                job.tenant.as_str(),
                job.priority,
                vtime,
                &*job.payload,
                state as u8,
                job.max_attempts,
                job.run_at.unwrap_or(tx.now).0,
                job.session.map(|id| id.0.simple().to_string()),
                job.document.map(|id| id.0.simple().to_string()),
                job.trace.map(|trace| trace.to_string()),
            ));
            note(&mut committed, job, state, vtime, tx);
        }
        slot.result = Ok(committed);
    }
    if rows.is_empty() {
        return Ok(());
    }
    let rows = serde_json::to_string(&rows).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "INSERT INTO jobs (id, kind, lane, tenant, priority, vtime, payload, state, max_attempts, allowance, run_at,
                           session, document, trace_parent, created_at, handed_at)
         SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
                value ->> 7, value ->> 8, value ->> 8, value ->> 9, unhex(value ->> 10), unhex(value ->> 11),
                value ->> 12, ?2, CASE WHEN value ->> 7 = 2 THEN ?2 END
         FROM json_each(?1)",
    )
    .bind(rows)
    .bind(tx.now.0)
    .execute(&mut *tx.conn)
    .await
    .map(drop)
}

/// Inserts one job that may be unique, wait for its turn, or have children or a parent.
pub(super) async fn insert(tx: &mut Tx<'_>, job: &NewJob, committed: &mut Committed) -> sqlx::Result<()> {
    let blocked = match &job.concurrency_key {
        Some(key) => is_held(tx, key).await?,
        None => false,
    };
    let state = if blocked { JobState::Waiting } else { first_state(tx, job) };
    let vtime = tx.clock.start(job.lane, &job.tenant, job.cost);
    let (unique, forever) =
        job.unique.as_ref().map_or((None, false), |u| (Some(&*u.key), !u.while_unfinished));
    let inserted = sqlx::query(
        "INSERT INTO jobs (id, kind, lane, tenant, priority, vtime, payload, state, blocked, max_attempts, allowance,
                           unique_key, unique_forever, concurrency_key, parent, pending_children, session, document,
                           run_at, created_at, handed_at, trace_parent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
                 CASE WHEN ?8 = 2 THEN ?19 END, ?20)
         ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO NOTHING",
    )
    .bind(job.id.0)
    .bind(&*job.kind)
    .bind(job.lane.as_str())
    .bind(job.tenant.as_str())
    .bind(job.priority)
    .bind(vtime)
    .bind(&job.payload)
    .bind(state as u8)
    .bind(blocked)
    .bind(job.max_attempts)
    .bind(unique)
    .bind(forever)
    .bind(&job.concurrency_key)
    .bind(job.parent.map(|id| id.0))
    .bind(job.pending_children)
    .bind(job.session.map(|id| id.0))
    .bind(job.document.map(|id| id.0))
    .bind(job.run_at.unwrap_or(tx.now).0)
    .bind(tx.now.0)
    .bind(job.trace.map(|trace| trace.to_string()))
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    if inserted == 1 {
        note(committed, job, state, vtime, tx);
    } else {
        let row = sqlx::query("SELECT id FROM jobs WHERE unique_key = ?1")
            .bind(unique)
            .fetch_one(&mut *tx.conn)
            .await?;
        committed.jobs.push(JobId(row.get::<Uuid, _>(0)));
    }
    Ok(())
}

/// Whether an unfinished job that is not itself waiting for its turn has this key.
async fn is_held(tx: &mut Tx<'_>, key: &str) -> sqlx::Result<bool> {
    sqlx::query("SELECT 1 FROM jobs WHERE concurrency_key = ?1 AND state < 4 LIMIT 1")
        .bind(key)
        .fetch_optional(&mut *tx.conn)
        .await
        .map(|row| row.is_some())
}

/// Refuses if a tenant's unfinished jobs have this key, or asks them to stop.
pub(super) async fn clear_key(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    key: &str,
    busy: Busy,
    committed: &mut Committed,
) -> Result<(), Failed> {
    let open: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM jobs WHERE concurrency_key = ?1 AND state < 4 AND tenant = ?2 ORDER BY id",
    )
    .bind(key)
    .bind(tenant.as_str())
    .fetch_all(&mut *tx.conn)
    .await?;
    let open: Vec<_> = open.into_iter().map(JobId).collect();
    match (open.first(), busy) {
        (None, _) => Ok(()),
        (Some(first), Busy::Refuse) => Err(Busy::refusal(*first).into()),
        (Some(_), Busy::Cancel) => Ok(control::cancel(tx, &JobFilter::default(), &open, committed).await?),
    }
}

fn first_state(tx: &Tx<'_>, job: &NewJob) -> JobState {
    if job.pending_children > 0 || job.run_at.is_some_and(|at| at > tx.now) {
        JobState::Waiting
    } else if job.handed {
        JobState::Handed
    } else {
        JobState::Available
    }
}

/// Says what is to be announced once the job is durable.
fn note(committed: &mut Committed, job: &NewJob, state: JobState, vtime: f64, tx: &mut Tx<'_>) {
    committed.jobs.push(job.id);
    match state {
        JobState::Handed => {
            tx.clock.advance(job.lane, vtime);
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
