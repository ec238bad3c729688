//! Jobs that are run again: by hand, and after a pause that a model's provider has asked for.

use super::jobs::{claim, enqueue, error, finish, job, state, succeeded};
use chat_core::{Change, JobFilter, JobState, NewJob, Outcome, Write, ports::Store};
use std::time::Duration;

/// Runs every promise.
pub(super) async fn exercise(store: &dyn Store) {
    children_are_retried_while_somebody_waits(store).await;
    kinds_can_be_left_out(store).await;
    a_pause_of_the_provider_costs_no_attempt(store).await;
}

/// A child that is retried is waited for again, and counts once; when its parent has ended, nobody would use it.
async fn children_are_retried_while_somebody_waits(store: &dyn Store) {
    let parent = enqueue(store, NewJob { pending_children: 2, ..job() }).await;
    let first = enqueue(store, NewJob { parent: Some(parent), ..job() }).await;
    let second = enqueue(store, NewJob { parent: Some(parent), ..job() }).await;
    let dead = || Outcome::Dead { error: error(1) };
    let retry = |id| Write::of(vec![Change::RetryJobs(JobFilter::default(), vec![id])]);
    finish(store, &claim(store, first).await.unwrap(), dead()).await.unwrap();
    assert_eq!(store.commit(retry(first)).await.unwrap().affected, 1);
    finish(store, &claim(store, first).await.unwrap(), succeeded()).await.unwrap();
    assert!(claim(store, parent).await.is_none(), "a child that was retried counted twice");
    finish(store, &claim(store, second).await.unwrap(), dead()).await.unwrap();
    let held = claim(store, parent).await.expect("the last child frees its parent");
    assert_eq!(held.failed_children, 1, "the one that succeeded after all is no failure");
    finish(store, &held, dead()).await.unwrap();

    let all = Change::RetryJobs(JobFilter::default(), vec![parent, second]);
    assert_eq!(store.commit(Write::of(vec![all])).await.unwrap().affected, 1, "the parent alone");
    assert_eq!(state(store, second).await, JobState::Dead);
    finish(store, &claim(store, parent).await.unwrap(), succeeded()).await.unwrap();
    assert_eq!(store.commit(retry(second)).await.unwrap().affected, 0, "nobody waits for it");

    // A parent that was stopped while it waited does not wait for them after a retry.
    let parent = enqueue(store, NewJob { pending_children: 1, ..job() }).await;
    store.commit(Write::of(vec![Change::CancelJobs(JobFilter::default(), vec![parent])])).await.unwrap();
    finish(store, &claim(store, parent).await.unwrap(), Outcome::Cancelled).await.unwrap();
    store.commit(retry(parent)).await.unwrap();
    let again = Outcome::Retry { after: Duration::ZERO, error: error(1) };
    finish(store, &claim(store, parent).await.unwrap(), again).await.unwrap();
    store.promote_due().await.unwrap();
    let held = claim(store, parent).await.expect("it waits for its time only");
    finish(store, &held, succeeded()).await.unwrap();
}

async fn kinds_can_be_left_out(store: &dyn Store) {
    let id = enqueue(store, job()).await;
    finish(store, &claim(store, id).await.unwrap(), Outcome::Dead { error: error(1) }).await.unwrap();
    let retry = |not_kinds| {
        let filter = JobFilter { not_kinds, ..JobFilter::default() };
        Write::of(vec![Change::RetryJobs(filter, vec![id])])
    };
    assert_eq!(store.commit(retry(vec!["other.v1", "noop.v1"])).await.unwrap().affected, 0);
    assert_eq!(store.commit(retry(vec!["other.v1"])).await.unwrap().affected, 1);
    finish(store, &claim(store, id).await.unwrap(), succeeded()).await.unwrap();
}

async fn a_pause_of_the_provider_costs_no_attempt(store: &dyn Store) {
    let id = enqueue(store, job()).await;
    let row = async || store.job(None, id).await.unwrap();
    let deferred = |after, error| Outcome::Deferred { after, error };
    let held = claim(store, id).await.unwrap();
    let committed = finish(store, &held, deferred(Duration::ZERO, None)).await.unwrap();
    assert!(committed.due.is_some());
    let waiting = row().await;
    assert_eq!((waiting.state, waiting.waiting_for), (JobState::Waiting, Some("model")));
    assert_eq!((waiting.attempt, waiting.max_attempts, waiting.errors), (0, 3, vec![]), "it has not begun");
    assert_eq!(finish(store, &held, succeeded()).await, Err(chat_core::ErrorKind::Stale));

    store.promote_due().await.unwrap();
    assert_eq!(row().await.waiting_for, Some("worker"));
    let held = claim(store, id).await.unwrap();
    finish(store, &held, deferred(Duration::ZERO, Some(error(1)))).await.unwrap();
    let waiting = row().await;
    assert_eq!((waiting.attempt, waiting.max_attempts, waiting.errors), (1, 4, vec![error(1)]));

    store.promote_due().await.unwrap();
    let held = claim(store, id).await.unwrap();
    finish(store, &held, Outcome::Retry { after: Duration::ZERO, error: error(2) }).await.unwrap();
    assert_eq!(row().await.waiting_for, Some("time"), "the next wait has another reason");
    store.promote_due().await.unwrap();
    finish(store, &claim(store, id).await.unwrap(), deferred(Duration::from_hours(1), None)).await.unwrap();
    store.promote_due().await.unwrap();
    assert!(claim(store, id).await.is_none(), "it waits for its time");
    store.commit(Write::of(vec![Change::CancelJobs(JobFilter::default(), vec![id])])).await.unwrap();
    finish(store, &claim(store, id).await.unwrap(), Outcome::Cancelled).await.unwrap();
}
