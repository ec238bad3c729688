//! The event log.

use super::{Slot, Tx, finish};
use chat_core::{Committed, Event, Held, JobId, StreamId};
use serde_json::{Map, Value};
use sqlx::Row;
use std::collections::HashSet;
use uuid::Uuid;

/// The events of one run, and who waits for them.
pub(crate) type AppendRequest = (Held, StreamId, Vec<Event>, Slot<Committed>);

/// Keeps the events of the whole group: one look at all claims, then a row for each stream whose claim is held. Every
/// live stream does this about once a second, so none gets a savepoint of its own.
pub(super) async fn append_all(tx: &mut Tx<'_>, requests: &mut [AppendRequest]) -> sqlx::Result<()> {
    if requests.is_empty() {
        return Ok(());
    }
    let held = held(tx, requests).await?;
    for (claim, stream, events, slot) in requests {
        slot.result = if held.contains(&claim.job) {
            append(tx, *stream, events).await?;
            Ok(Committed::default())
        } else {
            Err(finish::stale())
        };
    }
    Ok(())
}

/// The jobs among these whose last claim is the one that is held.
async fn held(tx: &mut Tx<'_>, requests: &[AppendRequest]) -> sqlx::Result<HashSet<JobId>> {
    let claims: Vec<_> = requests
        .iter()
        .map(|(held, ..)| (held.job.0.simple().to_string(), held.fence.0.simple().to_string()))
        .collect();
    let claims = serde_json::to_string(&claims).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let rows = sqlx::query(
        "SELECT jobs.id FROM json_each(?1) AS claim
         JOIN jobs ON jobs.id = unhex(claim.value ->> 0) AND jobs.fence = unhex(claim.value ->> 1)
         WHERE jobs.state = 3",
    )
    .bind(claims)
    .fetch_all(&mut *tx.conn)
    .await?;
    Ok(rows.iter().map(|row| JobId(row.get::<Uuid, _>(0))).collect())
}

/// Keeps a batch of numbered events as one row. A batch that is there already changes nothing.
pub(super) async fn append(tx: &mut Tx<'_>, stream: StreamId, events: &[Event]) -> sqlx::Result<()> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
    let lines: Vec<&str> = events.iter().map(|event| &*event.data).collect();
    sqlx::query(
        "INSERT INTO chat_streams (stream, first_seq, last_seq, events, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (stream, last_seq) DO NOTHING",
    )
    .bind(stream.0)
    .bind(first.seq as i64)
    .bind(last.seq as i64)
    .bind(lines.join("\n"))
    .bind(tx.now.0)
    .execute(&mut *tx.conn)
    .await
    .map(drop)
}

/// Numbers an event after the last one of its stream, the first after `before`, and keeps it: for streams with several
/// writers.
pub(super) async fn append_next(
    tx: &mut Tx<'_>,
    stream: StreamId,
    before: u64,
    name: &str,
    head: &[(&str, Value)],
    body: Map<String, Value>,
) -> sqlx::Result<Event> {
    let last: i64 =
        sqlx::query_scalar("SELECT coalesce(max(last_seq), 0) FROM chat_streams WHERE stream = ?1")
            .bind(stream.0)
            .fetch_one(&mut *tx.conn)
            .await?;
    let event = Event::new(name, before.max(last as u64) + 1, head, body);
    append(tx, stream, std::slice::from_ref(&event)).await?;
    Ok(event)
}
