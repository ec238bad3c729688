use crate::{PostgresStore, error::port_error};
use chat_core::{Event, PortResult, StreamId, ports::EventStore};

/// Batches that one call reads.
const BATCHES: i64 = 64;

#[async_trait::async_trait]
impl EventStore for PostgresStore {
    async fn events_after(&self, stream: StreamId, after: u64) -> PortResult<Vec<Event>> {
        let batches = sqlx::query_scalar!(
            "SELECT events FROM chat_streams WHERE stream = $1 AND last_seq > $2 ORDER BY last_seq LIMIT $3",
            stream.0,
            after as i64,
            BATCHES
        )
        .fetch_all(self.pool())
        .await
        .map_err(port_error)?;
        // A commit that was repeated after an unclear failure may have cut the same events into other batches.
        let mut events: Vec<Event> = Vec::new();
        for event in batches.iter().flat_map(|batch| batch.lines()).filter_map(Event::from_data) {
            if event.seq > events.last().map_or(after, |last| last.seq) {
                events.push(event);
            }
        }
        Ok(events)
    }

    async fn last_event(&self, stream: StreamId) -> PortResult<u64> {
        sqlx::query_scalar!(
            r#"SELECT coalesce(max(last_seq), 0) AS "last!" FROM chat_streams WHERE stream = $1"#,
            stream.0
        )
        .fetch_one(self.pool())
        .await
        .map(|last| last as u64)
        .map_err(port_error)
    }
}
