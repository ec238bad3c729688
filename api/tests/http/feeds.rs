//! The feed over a bus that repeats, loses and breaks.

use crate::app::App;
use async_trait::async_trait;
use chat_api::{Feed, Subject};
use chat_core::{
    Change, Event, Fence, PortError, PortResult, ResponseId, StreamId,
    ports::{Bus, Control, Follower, Ports, Tail},
};
use futures::stream::BoxStream;
use serde_json::Map;
use std::sync::{Arc, Mutex};

type Script = Vec<PortResult<Tail>>;

/// A bus whose readers hear what was written down for them; after that it says that it has nothing.
struct Scripted(Mutex<Option<Script>>);

struct Reader(std::vec::IntoIter<PortResult<Tail>>);

#[async_trait]
impl Follower for Reader {
    async fn next(&mut self, _after: u64) -> PortResult<Tail> {
        self.0.next().unwrap_or(Ok(Tail::Behind))
    }
}

#[async_trait]
impl Bus for Scripted {
    async fn seize(&self, _stream: StreamId, _fence: Fence) -> Option<u64> {
        None
    }
    async fn publish(&self, _stream: StreamId, _fence: Option<Fence>, _events: &[Event]) {}
    fn persisted(&self, _stream: StreamId, _seq: u64) {}
    async fn follow(&self, _stream: StreamId) -> PortResult<Box<dyn Follower>> {
        let script = self.0.lock().unwrap().take();
        script
            .map(|script| Box::new(Reader(script.into_iter())) as _)
            .ok_or_else(|| PortError::unavailable("gone"))
    }
    async fn control(&self, _message: Control) {}
    async fn controls(&self) -> PortResult<BoxStream<'static, Control>> {
        Ok(Box::pin(futures::stream::pending()))
    }
    async fn ping(&self) -> PortResult<()> {
        Ok(())
    }
}

fn events(numbers: std::ops::RangeInclusive<u64>) -> Vec<Event> {
    numbers.map(|seq| Event::new(name(seq), seq, &[], Map::new())).collect()
}

/// The tenth is the last.
fn name(seq: u64) -> &'static str {
    if seq == 10 { "response.completed" } else { "response.output_text.delta" }
}

/// The numbers that a reader gets from a log of ten events and this script.
async fn read(script: Option<Script>, after: u64) -> Vec<u64> {
    let app = App::start().await;
    let id = ResponseId::new();
    app.state.dispatcher.record(vec![Change::AppendEvents(id.into(), events(1..=10))]).await.unwrap();
    let ports = Ports { bus: Arc::new(Scripted(Mutex::new(script))), ..app.state.ports.clone() };
    let mut feed = Feed::open(&ports, Subject::Response("default".into(), id), after).await;
    let mut numbers = Vec::new();
    while let Some(batch) = feed.next().await {
        assert!(!batch.is_empty());
        numbers.extend(batch.iter().map(|event| event.seq));
    }
    numbers
}

const ALL: [u64; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

#[tokio::test]
async fn repeats_are_dropped() {
    let script = vec![
        Ok(Tail::Events(events(1..=3))),
        Ok(Tail::Events(events(2..=5))),
        Ok(Tail::Events(events(1..=10))),
    ];
    assert_eq!(read(Some(script), 0).await, ALL);
}

#[tokio::test]
async fn gaps_are_filled_from_the_log() {
    let script = vec![Ok(Tail::Events(events(1..=2))), Ok(Tail::Events(events(6..=7)))];
    assert_eq!(read(Some(script), 0).await, ALL);
    let mut holed = events(3..=4);
    holed.extend(events(9..=10));
    assert_eq!(read(Some(vec![Ok(Tail::Events(holed))]), 2).await, ALL[2..]);
}

#[tokio::test]
async fn a_broken_bus_costs_nothing_but_time() {
    let script = vec![Ok(Tail::Events(events(1..=2))), Err(PortError::unavailable("reset"))];
    assert_eq!(read(Some(script), 0).await, ALL);
    assert_eq!(read(None, 0).await, ALL);
    assert_eq!(read(Some(Vec::new()), 7).await, ALL[7..]);
}

#[tokio::test]
async fn who_is_past_the_end_hears_the_end() {
    assert_eq!(read(Some(Vec::new()), 10).await, ALL[10..], "it has the end");
    for after in [11, 1_000] {
        assert_eq!(read(Some(Vec::new()), after).await, [10], "after {after}");
        assert_eq!(read(None, after).await, [10], "after {after}");
    }
}
