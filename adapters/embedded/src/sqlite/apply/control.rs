//! Cancelling jobs and running them again.

use super::Tx;
use chat_core::{Committed, JobFilter, JobId, Lane, WorkerId};
use sqlx::{QueryBuilder, Row};
use sqlx_sqlite::Sqlite;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A job that is asked to stop goes before others, so that its end is known soon.
pub(super) const CANCEL_PRIORITY: i32 = 1_000;

/// Running jobs are marked, and their workers told; others become available to be ended by a worker.
pub(super) async fn cancel(
    tx: &mut Tx<'_>,
    filter: &JobFilter,
    ids: &[JobId],
    committed: &mut Committed,
) -> sqlx::Result<()> {
    let mut query = QueryBuilder::<Sqlite>::new(format!(
        "UPDATE jobs SET cancel_requested = 1, blocked = 0,
             state = CASE state WHEN 3 THEN 3 ELSE 1 END,
             priority = CASE state WHEN 3 THEN priority ELSE max(priority, {CANCEL_PRIORITY}) END
         WHERE state < 4 AND cancel_requested = 0"
    ));
    narrow(&mut query, filter, ids);
    query.push(" RETURNING id, state, lane, worker");
    for row in query.build().fetch_all(&mut *tx.conn).await? {
        committed.affected += 1;
        match row.get::<Option<Uuid>, _>(3) {
            Some(worker) if row.get::<i64, _>(1) == 3 => {
                committed.cancel.push((JobId(row.get::<Uuid, _>(0)), WorkerId(worker)));
            }
            _ => committed.add_backlog(Lane::parse(row.get(2)).unwrap_or(Lane::Default)),
        }
    }
    Ok(())
}

/// A turn that has ended, or whose conversation is gone, is over: its job would find nothing to do. So is a child whose
/// parent has ended: nobody would make use of what it does.
const IS_OPEN: &str =
    " AND (session IS NULL OR EXISTS (SELECT 1 FROM chat_sessions AS s WHERE s.id = jobs.session))
     AND NOT EXISTS (SELECT 1 FROM chat_responses AS r
                     WHERE r.session = jobs.session AND r.job = jobs.id AND r.status IS NOT NULL)
     AND (parent IS NULL OR EXISTS (SELECT 1 FROM jobs AS p WHERE p.id = jobs.parent AND p.state < 4))";

/// Dead and cancelled jobs go back to the start, with their history and as many attempts as at first.
pub(super) async fn retry(
    tx: &mut Tx<'_>,
    filter: &JobFilter,
    ids: &[JobId],
    committed: &mut Committed,
) -> sqlx::Result<()> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "UPDATE jobs SET state = 1, cancel_requested = 0, finished_at = NULL, pending_children = 0,
             failed_children = 0, max_attempts = attempt + allowance, run_at = ",
    );
    query.push_bind(tx.now.0).push(" WHERE state IN (5, 6)").push(IS_OPEN);
    narrow(&mut query, filter, ids);
    query.push(" RETURNING lane, parent");
    let mut children: BTreeMap<Uuid, i64> = BTreeMap::new();
    for row in query.build().fetch_all(&mut *tx.conn).await? {
        committed.affected += 1;
        committed.add_backlog(Lane::parse(row.get(0)).unwrap_or(Lane::Default));
        if let Some(parent) = row.get::<Option<Uuid>, _>(1) {
            *children.entry(parent).or_default() += 1;
        }
    }
    for (parent, count) in children {
        wait_again(tx, parent, count).await?;
    }
    Ok(())
}

/// A parent that still waits for its children has counted these as ended, and as failed.
async fn wait_again(tx: &mut Tx<'_>, parent: Uuid, children: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE jobs SET pending_children = pending_children + ?2, failed_children = max(failed_children - ?2, 0)
         WHERE id = ?1 AND state = 0 AND pending_children > 0",
    )
    .bind(parent)
    .bind(children)
    .execute(&mut *tx.conn)
    .await
    .map(drop)
}

/// Ended jobs are forgotten.
pub(super) async fn delete(
    tx: &mut Tx<'_>,
    filter: &JobFilter,
    ids: &[JobId],
    committed: &mut Committed,
) -> sqlx::Result<()> {
    let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM jobs WHERE state >= 4");
    narrow(&mut query, filter, ids);
    committed.affected += query.build().execute(&mut *tx.conn).await?.rows_affected();
    Ok(())
}

/// Adds the conditions of a filter to a statement that ends within its WHERE clause.
pub(crate) fn narrow(query: &mut QueryBuilder<Sqlite>, filter: &JobFilter, ids: &[JobId]) {
    if let Some(tenant) = &filter.tenant {
        query.push(" AND tenant = ").push_bind(tenant.as_str());
    }
    if let Some(kind) = &filter.kind {
        query.push(" AND kind = ").push_bind(kind);
    }
    if !filter.not_kinds.is_empty() {
        query.push(" AND kind NOT IN (");
        let mut list = query.separated(", ");
        for kind in &filter.not_kinds {
            list.push_bind(*kind);
        }
        query.push(")");
    }
    if let Some(lane) = filter.lane {
        query.push(" AND lane = ").push_bind(lane.as_str());
    }
    if let Some(session) = filter.session {
        query.push(" AND session = ").push_bind(session.0);
    }
    if let Some(document) = filter.document {
        query.push(" AND document = ").push_bind(document.0);
    }
    if !filter.states.is_empty() {
        query.push(" AND state IN (");
        let mut list = query.separated(", ");
        for state in &filter.states {
            list.push_bind(*state as i64);
        }
        query.push(")");
    }
    if !ids.is_empty() {
        query.push(" AND id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.0);
        }
        query.push(")");
    }
}
