//! The `Lanes` port, as one process or several see it.

use chat_core::{
    JobId, Lane, Ready, Timestamp,
    ports::{Announced, Lanes, Work},
};
use futures::future::join_all;
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

const SOON: Duration = Duration::from_secs(5);
/// Long enough to see that something does not happen.
const A_WHILE: Duration = Duration::from_millis(50);
const SLOTS: usize = 64;
const MANY: usize = 2_000;

/// Runs every promise. `offers` and `takes` are the lanes of two processes, or of one.
pub async fn exercise(offers: Arc<dyn Lanes>, takes: Arc<dyn Lanes>) {
    takes.set_slots(Lane::Chat, SLOTS);
    until("there is room", async || offers.has_room(Lane::Chat)).await;
    higher_priorities_come_first(&*offers, &*takes).await;
    lanes_do_not_mix(&*offers, &*takes).await;
    a_waiter_is_woken_at_once(&*offers, &*takes).await;
    a_waiter_that_gives_up_loses_nothing(&*offers, &*takes).await;
    every_id_arrives_once(&offers, &takes).await;
    nobody_overtakes_a_backlog(&*offers, &*takes).await;
    a_due_time_makes_the_relay_look(&*offers, &*takes).await;
    takes.set_slots(Lane::Chat, 0);
    until("there are no workers", async || !offers.has_room(Lane::Chat)).await;
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition().await {
        assert!(Instant::now() < deadline, "{what}: not within {SOON:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

fn ready(lane: Lane, priority: i16) -> Ready {
    Ready { job: JobId::new(), lane, priority }
}

/// Takes work as a worker does whose SQL holds nothing.
async fn some(lanes: &dyn Lanes, lane: Lane, max: usize) -> Vec<JobId> {
    loop {
        match lanes.take(lane, max).await.unwrap() {
            Work::Offered(ids) => return ids,
            Work::Backlog(announced) => lanes.drained(lane, announced),
        }
    }
}

async fn take(lanes: &dyn Lanes, lane: Lane, number: usize) -> Vec<JobId> {
    let mut taken = Vec::new();
    while taken.len() < number {
        let more = timeout(SOON, some(lanes, lane, number - taken.len())).await;
        taken.extend(more.expect("ids are stuck"));
    }
    taken
}

async fn higher_priorities_come_first(offers: &dyn Lanes, takes: &dyn Lanes) {
    let [normal, urgent, late] = [0, 1_000, 0].map(|priority| ready(Lane::Chat, priority));
    for one in [normal, urgent, late] {
        offers.offer(one).await;
    }
    sleep(A_WHILE).await; // all of them have arrived
    assert_eq!(take(takes, Lane::Chat, 3).await, [urgent.job, normal.job, late.job]);
}

async fn lanes_do_not_mix(offers: &dyn Lanes, takes: &dyn Lanes) {
    let one = ready(Lane::Chat, 0);
    offers.offer(one).await;
    assert!(timeout(A_WHILE, some(takes, Lane::Embed, 1)).await.is_err());
    assert_eq!(take(takes, Lane::Chat, 1).await, [one.job]);
}

async fn a_waiter_is_woken_at_once(offers: &dyn Lanes, takes: &dyn Lanes) {
    let one = ready(Lane::Chat, 0);
    let offering = async {
        sleep(A_WHILE).await; // somebody waits by now
        let offered = Instant::now();
        offers.offer(one).await;
        offered
    };
    let waiting = async { (take(takes, Lane::Chat, 1).await, Instant::now()) };
    let (offered, (ids, woken)) = tokio::join!(offering, waiting);
    assert_eq!(ids, [one.job]);
    assert!(woken - offered < Duration::from_millis(500), "woken after {:?}", woken - offered);
}

async fn a_waiter_that_gives_up_loses_nothing(offers: &dyn Lanes, takes: &dyn Lanes) {
    for _ in 0..3 {
        assert!(timeout(A_WHILE, some(takes, Lane::Chat, 8)).await.is_err());
        let one = ready(Lane::Chat, 0);
        offers.offer(one).await;
        assert_eq!(take(takes, Lane::Chat, 1).await, [one.job]);
    }
}

async fn every_id_arrives_once(offers: &Arc<dyn Lanes>, takes: &Arc<dyn Lanes>) {
    let all: Vec<_> = (0..MANY).map(|_| ready(Lane::Chat, 0)).collect();
    let offering = join_all(all.chunks(MANY / 4).map(|some| async move {
        for one in some {
            offers.offer(*one).await;
        }
    }));
    let taking = async {
        let mut seen = Vec::new();
        while seen.len() < MANY {
            seen.extend(timeout(SOON, some(&**takes, Lane::Chat, SLOTS)).await.expect("ids are stuck"));
        }
        seen
    };
    let (_, seen) = tokio::join!(offering, taking);
    let (distinct, offered) =
        (seen.iter().copied().collect::<HashSet<_>>(), all.iter().map(|one| one.job).collect());
    assert_eq!((seen.len(), distinct), (MANY, offered));
}

/// What waits in SQL is announced: who waits is told at once, and says when there is no more.
async fn nobody_overtakes_a_backlog(offers: &dyn Lanes, takes: &dyn Lanes) {
    until("there is room", async || offers.has_room(Lane::Chat)).await;
    let announcing = async {
        sleep(A_WHILE).await; // somebody waits by now
        offers.backlog(Lane::Chat);
        assert!(!offers.has_room(Lane::Chat), "it would overtake");
        Instant::now()
    };
    let waiting = async { (backlog(takes).await, Instant::now()) };
    let (announced, (seen, told)) = tokio::join!(announcing, waiting);
    assert!(told.saturating_duration_since(announced) < Duration::from_millis(500));
    let one = ready(Lane::Chat, 0);
    offers.offer(one).await; // one that was promised a place before
    sleep(A_WHILE).await;
    assert_eq!(take(takes, Lane::Chat, 1).await, [one.job], "a backlog keeps no id from its worker");
    takes.drained(Lane::Chat, seen);
    until("the backlog is forgotten", async || {
        // Another announcement may have been on its way.
        if let Ok(seen) = timeout(Duration::from_millis(1), backlog(takes)).await {
            takes.drained(Lane::Chat, seen);
        }
        offers.has_room(Lane::Chat)
    })
    .await;
}

async fn backlog(lanes: &dyn Lanes) -> Announced {
    match timeout(SOON, lanes.take(Lane::Chat, SLOTS)).await.expect("nobody is told").unwrap() {
        Work::Backlog(announced) => announced,
        Work::Offered(ids) => panic!("nobody offered {ids:?}"),
    }
}

async fn a_due_time_makes_the_relay_look(offers: &dyn Lanes, takes: &dyn Lanes) {
    offers.due(Timestamp(1_000));
    timeout(SOON, takes.due_before(Some(Timestamp(2_000)))).await.expect("the relay was not told");
}
