use super::*;
use chat_core::{JobId, WorkerId, ports::Tail};
use serde_json::Map;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::timeout;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(5);
/// Long enough to see that something does not happen.
const A_WHILE: Duration = Duration::from_millis(30);

fn event(name: &str, seq: u64) -> Event {
    Event::new(name, seq, &[], Map::new())
}

fn deltas(numbers: impl IntoIterator<Item = u64>) -> Vec<Event> {
    numbers.into_iter().map(|seq| event("response.output_text.delta", seq)).collect()
}

fn stream() -> StreamId {
    StreamId(Uuid::new_v4())
}

async fn next(follower: &mut Box<dyn Follower>, after: u64) -> Tail {
    timeout(SOON, follower.next(after)).await.expect("the follower waits for ever").unwrap()
}

async fn numbers(follower: &mut Box<dyn Follower>, after: u64) -> Vec<u64> {
    match next(follower, after).await {
        Tail::Events(events) => events.iter().map(|event| event.seq).collect(),
        Tail::Behind => panic!("behind after {after}"),
    }
}

async fn waits(follower: &mut Box<dyn Follower>, after: u64) -> bool {
    timeout(A_WHILE, follower.next(after)).await.is_err()
}

#[tokio::test]
async fn a_follower_gets_what_is_there_and_what_comes() {
    let (bus, id, fence) = (MemoryBus::new(), stream(), Fence::new());
    bus.publish(id, Some(fence), &deltas(1..=2)).await;
    let mut follower = bus.follow(id).await.unwrap();
    assert_eq!(numbers(&mut follower, 0).await, [1, 2]);
    assert_eq!(numbers(&mut follower, 1).await, [2]);
    assert!(waits(&mut follower, 2).await);
    let waiting = tokio::task::spawn(async move { numbers(&mut follower, 2).await });
    tokio::task::yield_now().await;
    bus.publish(id, Some(fence), &deltas(3..=4)).await;
    assert_eq!(timeout(SOON, waiting).await.unwrap().unwrap(), [3, 4]);
    assert_eq!(bus.seize(id, fence).await, Some(4));
}

#[tokio::test]
async fn streams_do_not_mix() {
    let (bus, one, other) = (MemoryBus::new(), stream(), stream());
    bus.publish(one, None, &deltas(1..=1)).await;
    bus.publish(other, None, &deltas(1..=2)).await;
    let mut follower = bus.follow(one).await.unwrap();
    assert_eq!(numbers(&mut follower, 0).await, [1]);
    assert!(waits(&mut follower, 1).await);
}

#[tokio::test]
async fn a_reader_of_an_unknown_stream_reads_sql_once_and_then_waits() {
    let (bus, id) = (MemoryBus::new(), stream());
    let mut follower = bus.follow(id).await.unwrap();
    assert_eq!(bus.seize(id, Fence::new()).await, None);
    assert_eq!(next(&mut follower, 0).await, Tail::Behind);
    assert!(waits(&mut follower, 0).await);
    bus.publish(id, None, &deltas(1..=1)).await;
    assert_eq!(numbers(&mut follower, 0).await, [1]);
}

#[tokio::test]
async fn the_first_event_may_arrive_second() {
    let (bus, id) = (MemoryBus::new(), stream());
    bus.publish(id, Some(Fence::new()), &deltas(2..=3)).await;
    let mut follower = bus.follow(id).await.unwrap();
    assert_eq!(next(&mut follower, 0).await, Tail::Behind);
    bus.publish(id, None, &[event("response.queued", 1)]).await;
    assert_eq!(numbers(&mut follower, 0).await, [1, 2, 3]);
    assert_eq!(bus.seize(id, Fence::new()).await, Some(3));
}

#[tokio::test]
async fn an_event_published_twice_is_seen_once() {
    let (bus, id, fence) = (MemoryBus::new(), stream(), Fence::new());
    bus.publish(id, Some(fence), &deltas(1..=3)).await;
    bus.publish(id, Some(fence), &deltas(2..=4)).await;
    let mut follower = bus.follow(id).await.unwrap();
    assert_eq!(numbers(&mut follower, 0).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_superseded_writer_publishes_nothing() {
    let (bus, id, [old, new]) = (MemoryBus::new(), stream(), [Fence::new(), Fence::new()]);
    bus.seize(id, old).await;
    bus.publish(id, Some(old), &deltas(1..=2)).await;
    bus.seize(id, new).await;
    bus.publish(id, Some(old), &deltas(3..=9)).await;
    assert_eq!(bus.seize(id, new).await, Some(2));
    bus.publish(id, Some(new), &[event("response.restarted", 3)]).await;
    bus.publish(id, None, &[event("response.cancelled", 4)]).await;
    let mut follower = bus.follow(id).await.unwrap();
    assert_eq!(numbers(&mut follower, 0).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn only_what_sql_has_is_dropped() {
    let (bus, id, fence) = (MemoryBus::new(), stream(), Fence::new());
    bus.publish(id, Some(fence), &deltas(1..=1_000)).await;
    let mut follower = bus.follow(id).await.unwrap();
    let mut seen = vec![];
    while seen.len() < 1_000 {
        seen.extend(numbers(&mut follower, seen.len() as u64).await);
    }
    assert!(seen.into_iter().eq(1..=1_000));
    bus.persisted(id, 990);
    assert_eq!(next(&mut follower, 0).await, Tail::Behind);
    assert_eq!(numbers(&mut follower, 990).await, (991..=1_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stream_that_is_in_sql_takes_little_memory() {
    let (bus, id) = (MemoryBus::new(), stream());
    for seq in 1..=5_000 {
        bus.publish(id, None, &deltas([seq])).await;
    }
    let mut follower = bus.follow(id).await.unwrap();
    let first = (0..5_000).find(|after| {
        !matches!(futures::FutureExt::now_or_never(follower.next(*after)), Some(Ok(Tail::Behind)) | None)
    });
    let kept = 5_000 - first.unwrap();
    assert!((16..=256).contains(&kept), "{kept} events are kept");
}

#[tokio::test]
async fn a_restart_may_jump() {
    let (bus, id, fence) = (MemoryBus::new(), stream(), Fence::new());
    bus.publish(id, Some(fence), &deltas(1..=3)).await;
    bus.publish(id, Some(fence), &[event("response.restarted", 1_003)]).await;
    bus.publish(id, Some(fence), &deltas(1_004..=1_005)).await;
    let mut follower = bus.follow(id).await.unwrap();
    assert_eq!(numbers(&mut follower, 2).await, [3, 1_003, 1_004, 1_005]);
    assert_eq!(numbers(&mut follower, 3).await, [1_003, 1_004, 1_005]);
}

#[tokio::test]
async fn a_jump_from_an_unknown_past_is_told_only_when_sql_has_nothing_in_between() {
    let (bus, id) = (MemoryBus::new(), stream());
    bus.publish(id, Some(Fence::new()), &[event("response.restarted", 1_003)]).await;
    let mut follower = bus.follow(id).await.unwrap();
    assert_eq!(next(&mut follower, 5).await, Tail::Behind);
    // SQL had 6 and 7.
    assert_eq!(next(&mut follower, 7).await, Tail::Behind);
    // SQL had nothing after 7.
    assert_eq!(numbers(&mut follower, 7).await, [1_003]);
}

#[tokio::test]
async fn any_other_jump_is_a_gap() {
    let (bus, id, fence) = (MemoryBus::new(), stream(), Fence::new());
    bus.publish(id, Some(fence), &deltas(1..=3)).await;
    bus.publish(id, Some(fence), &deltas(5..=6)).await;
    let mut follower = bus.follow(id).await.unwrap();
    assert_eq!(numbers(&mut follower, 0).await, [1, 2, 3]);
    assert_eq!(next(&mut follower, 3).await, Tail::Behind);
    // Asking again is answered, but not in a busy loop.
    assert!(waits(&mut follower, 3).await);
    assert_eq!(next(&mut follower, 3).await, Tail::Behind);
    bus.publish(id, None, &deltas([4])).await;
    assert_eq!(numbers(&mut follower, 3).await, [4, 5, 6]);
}

#[tokio::test]
async fn a_finished_stream_is_forgotten_when_nobody_reads_it() {
    let (bus, id, fence) = (MemoryBus::new(), stream(), Fence::new());
    bus.publish(id, Some(fence), &deltas(1..=2)).await;
    let mut follower = bus.follow(id).await.unwrap();
    bus.publish(id, Some(fence), &[event("response.completed", 3)]).await;
    bus.persisted(id, 3);
    assert_eq!(numbers(&mut follower, 0).await, [1, 2, 3]);
    assert_eq!(bus.stream_count(), 1);
    drop(follower);
    assert_eq!(bus.stream_count(), 0);
}

#[tokio::test]
async fn an_end_that_sql_does_not_have_is_kept() {
    let (bus, id, fence) = (MemoryBus::new(), stream(), Fence::new());
    bus.publish(id, Some(fence), &[event("response.completed", 1)]).await;
    drop(bus.follow(id).await.unwrap());
    assert_eq!(bus.stream_count(), 1);
    bus.persisted(id, 1);
    assert_eq!(bus.stream_count(), 0);
}

#[tokio::test]
async fn many_finished_streams_leave_nothing() {
    let bus = MemoryBus::new();
    for _ in 0..2_000 {
        let id = stream();
        bus.publish(id, None, &[event("document.stage", 1), event("document.completed", 2)]).await;
    }
    assert_eq!(bus.stream_count(), 0);
}

#[tokio::test]
async fn a_number_past_the_end_reads_sql_and_then_waits() {
    let (bus, id) = (MemoryBus::new(), stream());
    let mut follower = bus.follow(id).await.unwrap();
    bus.publish(id, None, &[event("response.completed", 1)]).await;
    assert_eq!(next(&mut follower, 99).await, Tail::Behind);
    assert!(waits(&mut follower, 99).await);
}

#[tokio::test]
async fn every_listener_hears_control_messages() {
    let bus = MemoryBus::new();
    let message = Control::Cancel { job: JobId::new(), worker: WorkerId::new() };
    bus.control(message.clone()).await; // nobody listens
    let mut listeners = [bus.controls().await.unwrap(), bus.controls().await.unwrap()];
    bus.control(message.clone()).await;
    for listener in &mut listeners {
        assert_eq!(timeout(SOON, listener.next()).await.unwrap(), Some(message.clone()));
    }
}

/// Many streams, two readers each, writers that persist as they go: every reader sees every number once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_miss_nothing_under_load() {
    const STREAMS: usize = 200;
    const LAST: u64 = 400;
    let bus = MemoryBus::new();
    let mut readers = vec![];
    for _ in 0..STREAMS {
        let id = stream();
        // What SQL has: all up to this number.
        let sql = Arc::new(AtomicU64::new(0));
        for _ in 0..2 {
            let mut follower = bus.follow(id).await.unwrap();
            let sql = sql.clone();
            readers.push(tokio::task::spawn(async move {
                let mut after = 0;
                while after < LAST {
                    match next(&mut follower, after).await {
                        Tail::Events(events) => {
                            for event in events {
                                assert_eq!(event.seq, after + 1);
                                after = event.seq;
                            }
                        }
                        Tail::Behind => after = after.max(sql.load(Ordering::SeqCst)),
                    }
                }
            }));
        }
        let bus = bus.clone();
        readers.push(tokio::task::spawn(async move {
            let fence = Fence::new();
            bus.seize(id, fence).await;
            for seq in 1..LAST {
                bus.publish(id, Some(fence), &deltas([seq])).await;
                if seq % 32 == 0 {
                    sql.store(seq, Ordering::SeqCst);
                    bus.persisted(id, seq);
                    tokio::task::yield_now().await;
                }
            }
            bus.publish(id, Some(fence), &[event("response.completed", LAST)]).await;
            sql.store(LAST, Ordering::SeqCst);
            bus.persisted(id, LAST);
        }));
    }
    for task in readers {
        timeout(SOON * 4, task).await.expect("a reader is stuck").unwrap();
    }
    assert_eq!(bus.stream_count(), 0);
}
