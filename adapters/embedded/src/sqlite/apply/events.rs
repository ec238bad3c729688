//! The event log.

use super::Tx;
use chat_core::{Event, StreamId};
use serde_json::{Map, Value};

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

/// Numbers an event after the last one of its stream and keeps it: for streams with several writers.
pub(super) async fn append_next(
    tx: &mut Tx<'_>,
    stream: StreamId,
    name: &str,
    head: &[(&str, Value)],
    body: Map<String, Value>,
) -> sqlx::Result<Event> {
    let last: i64 =
        sqlx::query_scalar("SELECT coalesce(max(last_seq), 0) FROM chat_streams WHERE stream = ?1")
            .bind(stream.0)
            .fetch_one(&mut *tx.conn)
            .await?;
    let event = Event::new(name, last as u64 + 1, head, body);
    append(tx, stream, std::slice::from_ref(&event)).await?;
    Ok(event)
}
