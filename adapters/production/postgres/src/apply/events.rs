//! The event log.

use super::{Appends, Tx, finish};
use crate::{
    batch::Work,
    error::{is_transient, port_error},
};
use chat_core::{Committed, Event, PortResult, StreamId};
use serde_json::{Map, Value};
use sqlx::PgPool;
use std::{collections::HashSet, sync::Arc};
use uuid::Uuid;

/// Keeps the events of a whole group, each only if its claim is held.
pub(crate) fn append_work(pool: PgPool) -> Work<Appends, Committed> {
    Arc::new(move |requests| {
        let pool = pool.clone();
        Box::pin(async move { append_all(&pool, requests).await })
    })
}

/// A batch as a row: one event a line.
pub(super) fn lines(events: &[Event]) -> String {
    events.iter().map(|event| &*event.data).collect::<Vec<_>>().join("\n")
}

async fn append_all(pool: &PgPool, requests: Vec<Appends>) -> PortResult<Vec<PortResult<Committed>>> {
    let held = loop {
        match insert_held(pool, &requests).await {
            Ok(held) => break held,
            Err(error) if is_transient(&error) => {}
            Err(error) => return Err(port_error(error)),
        }
    };
    let answer = |(claim, ..): Appends| {
        if held.contains(&claim.job.0) { Ok(Committed::default()) } else { Err(finish::stale()) }
    };
    Ok(requests.into_iter().map(answer).collect())
}

/// Writes the rows of claims that are held, and says which. The shared lock keeps a job from being taken over between
/// the look and the write.
async fn insert_held(pool: &PgPool, requests: &[Appends]) -> sqlx::Result<HashSet<Uuid>> {
    let column = |of: fn(&Appends) -> Uuid| requests.iter().map(of).collect::<Vec<_>>();
    let number = |of: fn(&[Event]) -> Option<&Event>| {
        requests.iter().map(|(.., events)| of(events).map_or(0, |event| event.seq as i64)).collect::<Vec<_>>()
    };
    let texts: Vec<String> = requests.iter().map(|(.., events)| lines(events)).collect();
    let ids = sqlx::query_scalar!(
        "WITH batch AS (
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[])
                           AS row (job, fence, stream, first_seq, last_seq, events)
         ), held AS (
             SELECT jobs.id FROM jobs JOIN batch ON jobs.id = batch.job AND jobs.fence = batch.fence
             WHERE jobs.state + 0 = 3 ORDER BY jobs.id FOR SHARE OF jobs
         ), written AS (
             INSERT INTO chat_streams (stream, first_seq, last_seq, events, created_at)
             SELECT stream, first_seq, last_seq, events, chat_now() FROM batch
             WHERE last_seq > 0 AND job IN (SELECT id FROM held)
             ON CONFLICT (stream, last_seq) DO NOTHING
         )
         SELECT DISTINCT id FROM held",
        &column(|(held, ..)| held.job.0)[..],
        &column(|(held, ..)| held.fence.0)[..],
        &column(|(_, stream, _)| stream.0)[..],
        &number(<[Event]>::first)[..],
        &number(<[Event]>::last)[..],
        &texts[..]
    )
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().collect())
}

/// Keeps a batch of numbered events as one row. A batch that is there already changes nothing.
pub(super) async fn append(tx: &mut Tx<'_>, stream: StreamId, events: &[Event]) -> sqlx::Result<()> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
    sqlx::query!(
        "INSERT INTO chat_streams (stream, first_seq, last_seq, events, created_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (stream, last_seq) DO NOTHING",
        stream.0,
        first.seq as i64,
        last.seq as i64,
        lines(events),
        tx.now.0
    )
    .execute(&mut *tx.conn)
    .await
    .map(drop)
}

/// Numbers an event after the last one of its stream, the first after `before`, and keeps it: for streams with several
/// writers, which hold a lock of their own on what the stream is about.
pub(super) async fn append_next(
    tx: &mut Tx<'_>,
    stream: StreamId,
    before: u64,
    name: &str,
    head: &[(&str, Value)],
    body: Map<String, Value>,
) -> sqlx::Result<Event> {
    let last = sqlx::query_scalar!(
        r#"SELECT coalesce(max(last_seq), 0) AS "last!" FROM chat_streams WHERE stream = $1"#,
        stream.0
    )
    .fetch_one(&mut *tx.conn)
    .await?;
    let event = Event::new(name, before.max(last as u64) + 1, head, body);
    append(tx, stream, std::slice::from_ref(&event)).await?;
    Ok(event)
}
