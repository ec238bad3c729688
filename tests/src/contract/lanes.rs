//! The `Lanes` port, as one process or several see it.

use chat_core::{JobId, Lane, Ready, Timestamp, ports::Lanes};
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

async fn take(lanes: &dyn Lanes, lane: Lane, number: usize) -> Vec<JobId> {
    let mut taken = Vec::new();
    while taken.len() < number {
        let some = timeout(SOON, lanes.take(lane, number - taken.len())).await.expect("ids are stuck");
        taken.extend(some.unwrap());
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
    assert!(timeout(A_WHILE, takes.take(Lane::Embed, 1)).await.is_err());
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
        assert!(timeout(A_WHILE, takes.take(Lane::Chat, 8)).await.is_err());
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
            seen.extend(timeout(SOON, takes.take(Lane::Chat, SLOTS)).await.expect("ids are stuck").unwrap());
        }
        seen
    };
    let (_, seen) = tokio::join!(offering, taking);
    let (distinct, offered) =
        (seen.iter().copied().collect::<HashSet<_>>(), all.iter().map(|one| one.job).collect());
    assert_eq!((seen.len(), distinct), (MANY, offered));
}

/// What waits in SQL is announced; a relay is told how much to bring, brings it, and says when there is no more.
async fn nobody_overtakes_a_backlog(offers: &dyn Lanes, takes: &dyn Lanes) {
    until("there is room", async || offers.has_room(Lane::Chat)).await;
    offers.backlog(Lane::Chat);
    assert!(!offers.has_room(Lane::Chat), "it would overtake");
    let brings = async |number: usize| loop {
        let work = timeout(SOON, takes.hungry(Some(Timestamp(0)))).await.expect("nobody feeds the lane");
        for (lane, room) in work {
            let brought = if lane == Lane::Chat { number.min(room) } else { 0 };
            for _ in 0..brought {
                takes.offer(ready(lane, 0)).await;
            }
            if brought < room {
                takes.drained(lane);
            }
            if lane == Lane::Chat {
                return room;
            }
        }
    };
    let room = brings(usize::MAX).await;
    assert!((1..=4 * SLOTS).contains(&room), "room for {room}");
    assert_eq!(take(takes, Lane::Chat, room).await.len(), room);
    brings(0).await;
    until("the backlog is forgotten", async || offers.has_room(Lane::Chat)).await;
}

async fn a_due_time_makes_the_relay_look(offers: &dyn Lanes, takes: &dyn Lanes) {
    let deadline = Instant::now() + SOON;
    offers.due(Timestamp(1_000));
    loop {
        assert!(Instant::now() < deadline, "the relay was not told");
        let work = timeout(SOON, takes.hungry(Some(Timestamp(2_000)))).await.expect("the relay was not told");
        if work.is_empty() {
            return;
        }
        for (lane, _) in work {
            takes.drained(lane);
        }
    }
}
