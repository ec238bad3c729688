//! Two processes on one `Store`: what one of them does at the same time as the other.

use super::jobs::job;
use chat_core::{
    Change, Claim, Committed, ErrorKind, JobId, JobState, Lane, NewJob, Outcome, PortResult, Unique,
    WorkerId, Write, ports::Store,
};
use futures::future::join_all;
use std::{collections::HashSet, time::Duration};

const MANY: usize = 60;

/// Runs every promise on two stores of the same rows.
pub async fn exercise(one: &dyn Store, other: &dyn Store) {
    every_job_is_claimed_once(one, other).await;
    a_backlog_is_claimed_once(one, other).await;
    a_unique_key_has_one_job(one, other).await;
    a_key_runs_one_job_at_a_time(one, other).await;
    the_last_child_frees_its_parent_once(one, other).await;
    a_worker_that_was_reaped_writes_nothing(one, other).await;
}

/// The stores in turn.
fn each<'a>(one: &'a dyn Store, other: &'a dyn Store, times: usize) -> impl Iterator<Item = &'a dyn Store> {
    (0..times).map(move |number| if number % 2 == 0 { one } else { other })
}

async fn enqueue(store: &dyn Store, job: NewJob) -> JobId {
    store.commit(Write::of(vec![Change::Enqueue(Box::new(job))])).await.unwrap().jobs[0]
}

async fn worker(store: &dyn Store) -> WorkerId {
    let worker = WorkerId::new();
    store.heartbeat(worker, &Lane::ALL.map(|lane| (lane, 4))).await.unwrap();
    worker
}

async fn succeed(store: &dyn Store, claim: &Claim) -> PortResult<Committed> {
    store.commit(Write::finish(claim.held(), Outcome::Succeeded { result: None }, vec![])).await
}

async fn every_job_is_claimed_once(one: &dyn Store, other: &dyn Store) {
    let ids = join_all(each(one, other, MANY).map(|store| enqueue(store, job()))).await;
    let (mine, its) = (worker(one).await, worker(other).await);
    let reversed: Vec<_> = ids.iter().rev().copied().collect();
    let (first, second) = tokio::join!(one.claim(mine, ids.clone()), other.claim(its, reversed));
    let claims: Vec<_> = first.unwrap().into_iter().chain(second.unwrap()).collect();
    let claimed: HashSet<_> = claims.iter().map(|claim| claim.job).collect();
    assert_eq!((claims.len(), claimed.len()), (MANY, MANY));
    let twice = claims.iter().chain(&claims).zip(each(one, other, 2 * MANY));
    let ends = join_all(twice.map(|(claim, store)| succeed(store, claim))).await;
    let stale =
        ends.iter().filter(|end| end.as_ref().is_err_and(|error| error.kind == ErrorKind::Stale)).count();
    let refused: Vec<_> = ends
        .iter()
        .filter_map(|end| end.as_ref().err())
        .filter(|error| error.kind != ErrorKind::Stale)
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(stale, MANY, "every end is written once");
}

async fn a_backlog_is_claimed_once(one: &dyn Store, other: &dyn Store) {
    let lane = Lane::Embed;
    let waiting = |_| enqueue(one, NewJob { lane, ..job() });
    let ids: HashSet<_> = join_all((0..MANY).map(waiting)).await.into_iter().collect();
    let who = worker(one).await;
    let takes = join_all(each(one, other, 8).map(|store| store.claim_next(who, lane, 10))).await;
    let mut claims: Vec<_> = takes.into_iter().flat_map(Result::unwrap).collect();
    // What one was just looking at the other has left alone.
    claims.extend(one.claim_next(who, lane, MANY).await.unwrap());
    assert_eq!(claims.len(), MANY, "a job was claimed twice, or was lost");
    assert_eq!(claims.iter().map(|claim| claim.job).collect::<HashSet<_>>(), ids);
    let ends =
        join_all(claims.iter().zip(each(one, other, MANY)).map(|(claim, store)| succeed(store, claim)));
    assert!(ends.await.iter().all(Result::is_ok));
}

async fn a_unique_key_has_one_job(one: &dyn Store, other: &dyn Store) {
    let unique = Some(Unique { key: format!("one-{}", JobId::new()), while_unfinished: true });
    let attempts =
        each(one, other, MANY).map(|store| enqueue(store, NewJob { unique: unique.clone(), ..job() }));
    let ids: HashSet<_> = join_all(attempts).await.into_iter().collect();
    assert_eq!(ids.len(), 1);
}

async fn a_key_runs_one_job_at_a_time(one: &dyn Store, other: &dyn Store) {
    let key = Some(format!("session-{}", JobId::new()));
    let attempts =
        each(one, other, MANY).map(|store| enqueue(store, NewJob { concurrency_key: key.clone(), ..job() }));
    let mut left: HashSet<_> = join_all(attempts).await.into_iter().collect();
    let ids: Vec<_> = left.iter().copied().collect();
    let (mine, its) = (worker(one).await, worker(other).await);
    while !left.is_empty() {
        let (first, second) = tokio::join!(one.claim(mine, ids.clone()), other.claim(its, ids.clone()));
        let claims: Vec<_> = first.unwrap().into_iter().chain(second.unwrap()).collect();
        assert_eq!(claims.len(), 1, "{} are left", left.len());
        // Somebody joins the queue at the moment when its head leaves.
        let late = left.len() % 7 == 0;
        let joining = async {
            if late {
                Some(enqueue(one, NewJob { concurrency_key: key.clone(), ..job() }).await)
            } else {
                None
            }
        };
        let (joined, ended) = tokio::join!(joining, succeed(other, &claims[0]));
        ended.unwrap();
        left.remove(&claims[0].job);
        if let Some(id) = joined {
            let (first, second) = tokio::join!(one.claim(mine, vec![id]), one.job(None, id));
            let state = second.unwrap().state;
            assert!(
                matches!(state, JobState::Waiting | JobState::Available | JobState::Running),
                "{state:?}"
            );
            for claim in first.unwrap() {
                succeed(one, &claim).await.unwrap();
            }
            if one.job(None, id).await.unwrap().state != JobState::Succeeded {
                one.commit(Write::of(vec![Change::CancelJobs(chat_core::JobFilter::default(), vec![id])]))
                    .await
                    .unwrap();
                let claim = one.claim(mine, vec![id]).await.unwrap().pop().unwrap();
                one.commit(Write::finish(claim.held(), Outcome::Cancelled, vec![])).await.unwrap();
            }
        }
    }
}

async fn the_last_child_frees_its_parent_once(one: &dyn Store, other: &dyn Store) {
    let parent = enqueue(one, NewJob { pending_children: MANY as u32, ..job() }).await;
    let children =
        each(one, other, MANY).map(|store| enqueue(store, NewJob { parent: Some(parent), ..job() }));
    let children = join_all(children).await;
    let claims = one.claim(worker(one).await, children).await.unwrap();
    let ends = claims.iter().zip(each(one, other, MANY)).map(|(claim, store)| succeed(store, claim));
    let ends = join_all(ends).await;
    let freed = ends.iter().filter(|end| !end.as_ref().unwrap().backlog.is_empty()).count();
    assert_eq!(freed, 1, "the parent became available {freed} times");
    assert_eq!(other.job(None, parent).await.unwrap().state, JobState::Available);
}

async fn a_worker_that_was_reaped_writes_nothing(one: &dyn Store, other: &dyn Store) {
    let ids = join_all(each(one, other, MANY).map(|store| enqueue(store, job()))).await;
    let silent = WorkerId::new(); // it never says that it lives
    let claims = one.claim(silent, ids).await.unwrap();
    let living = worker(other).await;
    let (reaped, late) = tokio::join!(
        other.reap(Duration::from_secs(30), Duration::from_secs(30)),
        join_all(claims.iter().map(|claim| succeed(one, claim)))
    );
    reaped.unwrap();
    for (claim, late) in claims.iter().zip(late) {
        let state = one.job(None, claim.job).await.unwrap().state;
        match late {
            Ok(_) => assert_eq!(state, JobState::Succeeded),
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::Stale);
                let again = other.claim(living, vec![claim.job]).await.unwrap().pop().unwrap();
                succeed(other, &again).await.unwrap();
            }
        }
    }
}
