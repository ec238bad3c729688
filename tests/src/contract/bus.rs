//! The `Bus` port, as one process or several see it.

use chat_core::{
    Event, Fence, JobId, StreamId, WorkerId,
    ports::{Bus, Control, Follower, Tail},
};
use futures::StreamExt;
use serde_json::{Map, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(5);

/// Runs every promise. `writes` and `reads` are the buses of two processes, or of one.
pub async fn exercise(writes: Arc<dyn Bus>, reads: Arc<dyn Bus>) {
    who_follows_misses_nothing(&*writes, &*reads).await;
    who_comes_later_is_told_or_sent_to_the_log(&*writes, &*reads).await;
    a_superseded_writer_says_nothing(&*writes, &*reads).await;
    a_restart_may_jump(&*writes, &*reads).await;
    what_the_store_numbered_may_come_out_of_order(&*writes, &*reads).await;
    every_listener_hears_control_messages(&*writes, &*reads).await;
    many_streams_with_many_readers(&writes, &reads).await;
    writes.ping().await.unwrap();
}

fn stream() -> StreamId {
    StreamId(Uuid::new_v4())
}

fn event(name: &str, seq: u64) -> Event {
    let mut body = Map::new();
    body.insert("delta".into(), json!(format!("第 {seq}\n次")));
    Event::new(name, seq, &[], body)
}

fn deltas(numbers: impl IntoIterator<Item = u64>) -> Vec<Event> {
    numbers.into_iter().map(|seq| event("response.output_text.delta", seq)).collect()
}

/// Reads up to a number; `log` is what SQL has: everything up to its number.
async fn read(follower: &mut Box<dyn Follower>, from: u64, to: u64, log: &AtomicU64) -> Vec<u64> {
    let (mut after, mut seen) = (from, Vec::new());
    while after < to {
        match timeout(SOON, follower.next(after)).await.expect("the follower waits for ever").unwrap() {
            Tail::Events(events) => {
                for event in events {
                    assert!(event.seq > after, "{} after {after}", event.seq);
                    after = event.seq;
                    seen.push(after);
                }
            }
            Tail::Behind => {
                let logged = log.load(Ordering::SeqCst);
                seen.extend(after + 1..=logged.max(after));
                after = after.max(logged);
                sleep(Duration::from_millis(1)).await;
            }
        }
    }
    seen
}

/// Only live events: nothing is in the log.
async fn live(follower: &mut Box<dyn Follower>, from: u64, to: u64) -> Vec<u64> {
    read(follower, from, to, &AtomicU64::new(0)).await
}

async fn who_follows_misses_nothing(writes: &dyn Bus, reads: &dyn Bus) {
    let (id, fence) = (stream(), Fence::new());
    writes.seize(id, fence).await;
    let mut follower = reads.follow(id).await.unwrap();
    writes.publish(id, Some(fence), &deltas(1..=1)).await;
    writes.publish(id, Some(fence), &deltas(2..=4)).await;
    assert_eq!(live(&mut follower, 0, 4).await, [1, 2, 3, 4]);
    writes.publish(id, Some(fence), &[event("response.completed", 5)]).await;
    let Tail::Events(last) = timeout(SOON, follower.next(4)).await.unwrap().unwrap() else {
        panic!("behind")
    };
    assert_eq!(last, [event("response.completed", 5)], "an event arrives as it was");
    assert_eq!(reads.seize(id, Fence::new()).await, Some(5), "who takes it over learns how far it came");
    assert_eq!(writes.seize(stream(), fence).await, None, "nothing was said yet");
}

async fn who_comes_later_is_told_or_sent_to_the_log(writes: &dyn Bus, reads: &dyn Bus) {
    let (id, fence) = (stream(), Fence::new());
    for seq in 1..=20 {
        writes.publish(id, Some(fence), &deltas([seq])).await;
    }
    let (mut one, mut two) = (reads.follow(id).await.unwrap(), reads.follow(id).await.unwrap());
    assert!(live(&mut one, 10, 20).await.into_iter().eq(11..=20));
    assert!(live(&mut two, 0, 20).await.into_iter().eq(1..=20));
    drop(one);
    writes.publish(id, Some(fence), &deltas([21])).await;
    assert_eq!(live(&mut two, 20, 21).await, [21], "one reader less is nothing to the other");
    writes.persisted(id, 21);
    drop(two);
    let mut late = reads.follow(id).await.unwrap();
    assert!(read(&mut late, 0, 21, &AtomicU64::new(21)).await.into_iter().eq(1..=21));
}

async fn a_superseded_writer_says_nothing(writes: &dyn Bus, reads: &dyn Bus) {
    let (id, old, new) = (stream(), Fence::new(), Fence::new());
    let mut follower = reads.follow(id).await.unwrap();
    writes.seize(id, old).await;
    writes.publish(id, Some(old), &deltas([1])).await;
    reads.seize(id, new).await;
    writes.publish(id, Some(old), &deltas([2, 3])).await;
    assert_eq!(reads.seize(id, new).await, Some(1));
    reads.publish(id, Some(new), &[event("response.restarted", 2)]).await;
    writes.publish(id, None, &[event("response.cancelled", 3)]).await;
    assert_eq!(live(&mut follower, 0, 3).await, [1, 2, 3]);
}

async fn a_restart_may_jump(writes: &dyn Bus, reads: &dyn Bus) {
    let (id, fence) = (stream(), Fence::new());
    let mut follower = reads.follow(id).await.unwrap();
    writes.publish(id, Some(fence), &deltas(1..=3)).await;
    writes.publish(id, Some(fence), &[event("response.restarted", 1_003)]).await;
    writes.publish(id, Some(fence), &deltas(1_004..=1_005)).await;
    assert_eq!(live(&mut follower, 0, 1_005).await, [1, 2, 3, 1_003, 1_004, 1_005]);
}

/// Two commits number events one after the other and announce them at the same time.
async fn what_the_store_numbered_may_come_out_of_order(writes: &dyn Bus, reads: &dyn Bus) {
    let id = stream();
    let mut follower = reads.follow(id).await.unwrap();
    for seq in [1, 3, 2] {
        writes.publish(id, None, &[event("document.stage", seq)]).await;
    }
    assert_eq!(live(&mut follower, 0, 3).await, [1, 2, 3]);
}

async fn every_listener_hears_control_messages(writes: &dyn Bus, reads: &dyn Bus) {
    let mut listeners = [reads.controls().await.unwrap(), writes.controls().await.unwrap()];
    sleep(Duration::from_millis(300)).await; // a process listens soon after its start
    let message = Control::Cancel { job: JobId::new(), worker: WorkerId::new() };
    writes.control(message.clone()).await;
    for listener in &mut listeners {
        assert_eq!(timeout(SOON, listener.next()).await.unwrap(), Some(message.clone()));
    }
}

/// Writers that persist as they go, two readers each: every reader sees every number once.
async fn many_streams_with_many_readers(writes: &Arc<dyn Bus>, reads: &Arc<dyn Bus>) {
    const STREAMS: usize = 60;
    const LAST: u64 = 300;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..STREAMS {
        let (id, logged) = (stream(), Arc::new(AtomicU64::new(0)));
        for late in [false, true] {
            let (reads, logged) = (reads.clone(), logged.clone());
            tasks.spawn(async move {
                if late {
                    sleep(Duration::from_millis(20)).await;
                }
                let mut follower = reads.follow(id).await.unwrap();
                let seen = read(&mut follower, 0, LAST, &logged).await;
                assert!(seen.into_iter().eq(1..=LAST));
            });
        }
        let writes = writes.clone();
        tasks.spawn(async move {
            let fence = Fence::new();
            writes.seize(id, fence).await;
            for seq in 1..LAST {
                writes.publish(id, Some(fence), &deltas([seq])).await;
                if seq % 32 == 0 {
                    logged.store(seq, Ordering::SeqCst);
                    writes.persisted(id, seq);
                }
            }
            writes.publish(id, Some(fence), &[event("response.completed", LAST)]).await;
            logged.store(LAST, Ordering::SeqCst);
            writes.persisted(id, LAST);
        });
    }
    let all = timeout(SOON * 6, async { while tasks.join_next().await.transpose().unwrap().is_some() {} });
    all.await.expect("a reader is stuck");
}
