use super::*;
use chat_core::JobId;
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(5);
/// Long enough to see that something does not happen.
const A_WHILE: Duration = Duration::from_millis(30);

fn ready(priority: i16) -> Ready {
    Ready { job: JobId::new(), lane: Lane::Chat, priority }
}

/// The ids that were offered, at most `max`.
async fn take(lanes: &MemoryLanes, lane: Lane, max: usize) -> Vec<JobId> {
    match lanes.take(lane, max).await.unwrap() {
        Work::Offered(ids) => ids,
        Work::Backlog(_) => panic!("nothing was announced"),
    }
}

fn with_slots(slots: usize) -> Arc<MemoryLanes> {
    let lanes = Arc::new(MemoryLanes::new());
    lanes.set_slots(Lane::Chat, slots);
    lanes
}

#[tokio::test]
async fn hands_out_by_priority_then_by_arrival() {
    let lanes = with_slots(4);
    let [a, b, c, d] = [ready(0), ready(5), ready(0), ready(-3)];
    for one in [a, b, c, d] {
        lanes.offer(one).await;
    }
    assert_eq!(take(&lanes, Lane::Chat, 3).await, [b.job, a.job, c.job]);
    assert_eq!(take(&lanes, Lane::Chat, 3).await, [d.job]);
}

#[tokio::test]
async fn lanes_do_not_mix() {
    let lanes = with_slots(4);
    lanes.offer(ready(0)).await;
    assert!(timeout(A_WHILE, take(&lanes, Lane::Embed, 1)).await.is_err());
    assert_eq!(take(&lanes, Lane::Chat, 1).await.len(), 1);
}

#[tokio::test]
async fn a_waiter_is_woken_at_once() {
    let lanes = with_slots(4);
    let waiter = tokio::task::spawn({
        let lanes = lanes.clone();
        async move { (take(&lanes, Lane::Chat, 8).await, Instant::now()) }
    });
    tokio::task::yield_now().await;
    let one = ready(0);
    let offered = Instant::now();
    lanes.offer(one).await;
    let (jobs, at) = timeout(SOON, waiter).await.unwrap().unwrap();
    assert_eq!(jobs, [one.job]);
    assert!(at - offered < Duration::from_millis(500));
}

#[tokio::test]
async fn one_burst_wakes_as_many_waiters_as_it_has_work_for() {
    let lanes = with_slots(4);
    let waiters: Vec<_> = (0..4)
        .map(|_| {
            let lanes = lanes.clone();
            tokio::task::spawn(async move { take(&lanes, Lane::Chat, 1).await })
        })
        .collect();
    tokio::task::yield_now().await;
    for _ in 0..4 {
        lanes.offer(ready(0)).await;
    }
    let mut seen = HashSet::new();
    for waiter in waiters {
        seen.extend(timeout(SOON, waiter).await.unwrap().unwrap());
    }
    assert_eq!(seen.len(), 4);
}

#[tokio::test]
async fn a_waiter_that_gives_up_loses_nothing() {
    let lanes = with_slots(4);
    assert!(timeout(A_WHILE, take(&lanes, Lane::Chat, 1)).await.is_err());
    lanes.offer(ready(0)).await;
    assert_eq!(timeout(SOON, take(&lanes, Lane::Chat, 1)).await.unwrap().len(), 1);
}

#[test]
fn without_slots_or_with_a_backlog_there_is_no_room() {
    let lanes = MemoryLanes::new();
    assert!(!lanes.has_room(Lane::Chat));
    lanes.set_slots(Lane::Chat, 1);
    assert!(lanes.has_room(Lane::Chat));
    lanes.backlog(Lane::Chat);
    assert!(!lanes.has_room(Lane::Chat));
}

#[tokio::test]
async fn room_is_promised_once_only() {
    let lanes = with_slots(2);
    let asked = (0..100).filter(|_| lanes.has_room(Lane::Chat)).count();
    assert_eq!(asked, 4, "twice the slots");
    for _ in 0..4 {
        lanes.offer(ready(0)).await;
    }
    assert!(!lanes.has_room(Lane::Chat));
    take(&lanes, Lane::Chat, 1).await;
    assert!(lanes.has_room(Lane::Chat));
}

#[tokio::test]
async fn ids_come_before_a_backlog() {
    let lanes = with_slots(4);
    let one = ready(0);
    lanes.offer(one).await;
    lanes.backlog(Lane::Chat);
    assert_eq!(take(&lanes, Lane::Chat, 4).await, [one.job]);
    assert!(matches!(lanes.take(Lane::Chat, 4).await.unwrap(), Work::Backlog(_)));
    assert!(matches!(lanes.take(Lane::Chat, 4).await.unwrap(), Work::Backlog(_)), "it is still there");
}

#[tokio::test]
async fn a_backlog_wakes_a_waiter_at_once() {
    let lanes = with_slots(4);
    let waiter = tokio::task::spawn({
        let lanes = lanes.clone();
        async move { lanes.take(Lane::Chat, 8).await }
    });
    tokio::task::yield_now().await;
    lanes.backlog(Lane::Chat);
    assert!(matches!(timeout(SOON, waiter).await.unwrap().unwrap().unwrap(), Work::Backlog(_)));
}

#[tokio::test]
async fn drained_forgets_only_what_was_announced_before() {
    let lanes = with_slots(2);
    lanes.backlog(Lane::Chat);
    let seen = async || match timeout(SOON, lanes.take(Lane::Chat, 2)).await.unwrap().unwrap() {
        Work::Backlog(announced) => announced,
        Work::Offered(ids) => panic!("nobody offered {ids:?}"),
    };
    let first = seen().await;
    lanes.backlog(Lane::Chat); // committed while SQL is asked
    lanes.drained(Lane::Chat, first);
    assert!(!lanes.has_room(Lane::Chat), "it would overtake");
    lanes.drained(Lane::Chat, seen().await);
    assert!(lanes.has_room(Lane::Chat));
    assert!(timeout(A_WHILE, lanes.take(Lane::Chat, 2)).await.is_err());
}

#[tokio::test]
async fn an_earlier_due_time_makes_the_relay_look_again() {
    let lanes = with_slots(2);
    lanes.due(Timestamp(500));
    assert!(
        timeout(A_WHILE, lanes.due_before(Some(Timestamp(400)))).await.is_err(),
        "it knows an earlier one"
    );
    lanes.due(Timestamp(300));
    timeout(SOON, lanes.due_before(Some(Timestamp(400)))).await.unwrap();
    let relay = tokio::task::spawn({
        let lanes = lanes.clone();
        async move { lanes.due_before(None).await }
    });
    tokio::task::yield_now().await;
    lanes.due(Timestamp(900));
    timeout(SOON, relay).await.unwrap().unwrap();
}

/// Several who offer, several who take, one who feeds: everything arrives, however they interleave.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_under_load() {
    const EACH: usize = 20_000;
    let lanes = with_slots(64);
    let offers: Vec<_> = (0..4)
        .map(|n: i16| {
            let lanes = lanes.clone();
            tokio::task::spawn(async move {
                for _ in 0..EACH {
                    lanes.offer(ready(n % 3)).await;
                    if n == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    let (counted, mut counts) = tokio::sync::mpsc::unbounded_channel();
    let takers: Vec<_> = [1, 16, 256]
        .map(|max| {
            let (lanes, counted) = (lanes.clone(), counted.clone());
            tokio::task::spawn(
                async move { while counted.send(take(&lanes, Lane::Chat, max).await).is_ok() {} },
            )
        })
        .into();
    let started = Instant::now();
    let mut seen = HashSet::new();
    while seen.len() < 4 * EACH {
        seen.extend(timeout(SOON, counts.recv()).await.expect("ids are stuck").unwrap());
    }
    println!("{:.0} ids/s offered and taken", (4 * EACH) as f64 / started.elapsed().as_secs_f64());
    for task in offers.into_iter().chain(takers) {
        task.abort();
    }
}
