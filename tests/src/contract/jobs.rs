//! The job engine's side of the `Store` port.

use super::retries;
use chat_core::{
    AttemptError, Change, Claim, ErrorKind, JobFilter, JobId, JobState, Lane, NewJob, Outcome, PageRequest,
    Tenant, Timestamp, TraceParent, Unique, WorkerId, Write, ports::Store,
};
use std::time::Duration;

/// A plain job.
pub fn job() -> NewJob {
    NewJob {
        id: JobId::new(),
        kind: "noop.v1".into(),
        lane: Lane::Default,
        tenant: Tenant::default(),
        priority: 0,
        cost: 1.0,
        payload: "{}".into(),
        max_attempts: 3,
        run_at: None,
        unique: None,
        concurrency_key: None,
        parent: None,
        pending_children: 0,
        session: None,
        document: None,
        trace: None,
        handed: false,
    }
}

/// Enqueues a job; its id.
pub async fn enqueue(store: &dyn Store, job: NewJob) -> JobId {
    let committed = store.commit(Write::of(vec![Change::Enqueue(Box::new(job))])).await.unwrap();
    committed.jobs[0]
}

/// A worker that lives, with slots for every lane.
pub async fn worker(store: &dyn Store) -> WorkerId {
    let worker = WorkerId::new();
    store.heartbeat(worker, &Lane::ALL.map(|lane| (lane, 4))).await.unwrap();
    worker
}

pub(super) async fn claim(store: &dyn Store, id: JobId) -> Option<Claim> {
    let worker = worker(store).await;
    store.claim(worker, vec![id]).await.unwrap().pop()
}

pub(super) async fn finish(
    store: &dyn Store,
    claim: &Claim,
    outcome: Outcome,
) -> Result<chat_core::Committed, ErrorKind> {
    store.commit(Write::finish(claim.held(), outcome, vec![])).await.map_err(|error| error.kind)
}

pub(super) fn succeeded() -> Outcome {
    Outcome::Succeeded { result: None }
}

pub(super) fn error(attempt: u32) -> AttemptError {
    AttemptError { attempt, at: Timestamp(0), kind: "internal".into(), message: "it broke".into() }
}

pub(super) async fn state(store: &dyn Store, id: JobId) -> JobState {
    store.job(None, id).await.unwrap().state
}

/// Runs every promise.
pub async fn exercise(store: &dyn Store) {
    claims_once(store).await;
    a_job_stays_part_of_its_trace(store).await;
    a_stale_claim_changes_nothing(store).await;
    unique_keys(store).await;
    one_at_a_time_per_key(store).await;
    a_retry_keeps_its_key(store).await;
    parents_wait_for_children(store).await;
    delayed_jobs_become_due(store).await;
    jobs_of_dead_workers_run_again(store).await;
    a_backlog_is_claimed_in_fair_order(store).await;
    cancels(store).await;
    retries_by_hand(store).await;
    retries::exercise(store).await;
    handing_back_costs_no_attempt(store).await;
    lists_by_filter(store).await;
}

async fn claims_once(store: &dyn Store) {
    let id = enqueue(store, job()).await;
    let (one, two) = (worker(store).await, worker(store).await);
    let (first, second) = tokio::join!(store.claim(one, vec![id]), store.claim(two, vec![id]));
    let claims: Vec<_> = first.unwrap().into_iter().chain(second.unwrap()).collect();
    assert_eq!(claims.len(), 1, "two workers claimed one job");
    assert_eq!(claims[0].attempt, 1);
    finish(store, &claims[0], Outcome::Succeeded { result: Some(serde_json::json!({"n": 1})) })
        .await
        .unwrap();
    let job = store.job(None, id).await.unwrap();
    assert_eq!(job.state, JobState::Succeeded);
    assert_eq!(job.result, Some(serde_json::json!({"n": 1})));
    assert!(job.finished_at.is_some());
    assert_eq!(
        finish(store, &claims[0], succeeded()).await,
        Err(ErrorKind::Stale),
        "an end was written twice"
    );
}

/// However it is written: alone, with others, behind a key, or as a child.
async fn a_job_stays_part_of_its_trace(store: &dyn Store) {
    let trace = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let traced = || NewJob { trace, ..job() };
    let keyed = NewJob { concurrency_key: Some(JobId::new().to_string()), ..traced() };
    for (new, expected) in [(traced(), trace), (keyed, trace), (job(), None)] {
        let id = enqueue(store, new).await;
        let held = claim(store, id).await.unwrap();
        assert_eq!((held.trace, store.job(None, id).await.unwrap().trace), (expected, expected));
        assert_eq!(held.span().map(|span| span.trace), expected.map(|trace| trace.trace));
        assert_ne!(held.span(), trace, "an attempt is a span of its own");
        finish(store, &held, succeeded()).await.unwrap();
    }
}

async fn a_stale_claim_changes_nothing(store: &dyn Store) {
    let id = enqueue(store, job()).await;
    let old = claim(store, id).await.unwrap();
    finish(store, &old, Outcome::Retry { after: Duration::ZERO, error: error(1) }).await.unwrap();
    store.promote_due().await.unwrap();
    let new = claim(store, id).await.unwrap();
    assert_ne!(old.fence, new.fence);
    let progress = vec![Change::JobProgress(id, serde_json::json!("old"))];
    let late = store.commit(Write::under(old.held(), progress)).await;
    assert_eq!(late.unwrap_err().kind, ErrorKind::Stale);
    assert_eq!(finish(store, &old, succeeded()).await, Err(ErrorKind::Stale));
    assert_eq!(store.job(None, id).await.unwrap().progress, None);
    finish(store, &new, succeeded()).await.unwrap();
    let errors = store.job(None, id).await.unwrap().errors;
    assert_eq!(errors, vec![error(1)]);
}

async fn unique_keys(store: &dyn Store) {
    let key = |while_unfinished| {
        Some(Unique { key: format!("k-{while_unfinished}-{}", JobId::new()), while_unfinished })
    };
    for while_unfinished in [true, false] {
        let unique = key(while_unfinished);
        let first = enqueue(store, NewJob { unique: unique.clone(), ..job() }).await;
        let again = enqueue(store, NewJob { unique: unique.clone(), ..job() }).await;
        assert_eq!(first, again, "a unique key was given twice");
        finish(store, &claim(store, first).await.unwrap(), succeeded()).await.unwrap();
        let later = enqueue(store, NewJob { unique, ..job() }).await;
        assert_eq!(later != first, while_unfinished, "while_unfinished: {while_unfinished}");
    }
}

async fn one_at_a_time_per_key(store: &dyn Store) {
    let key = Some(format!("c-{}", JobId::new()));
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(enqueue(store, NewJob { concurrency_key: key.clone(), ..job() }).await);
    }
    for at in 0..3 {
        for later in &ids[at + 1..] {
            assert!(claim(store, *later).await.is_none(), "two jobs of one key at a time");
            assert_eq!(store.job(None, *later).await.unwrap().waiting_for, Some("key"));
        }
        let held = claim(store, ids[at]).await.expect("the oldest of a key runs");
        let committed = finish(store, &held, succeeded()).await.unwrap();
        assert_eq!(committed.backlog.is_empty(), at == 2, "who waits is announced");
    }
}

async fn a_retry_keeps_its_key(store: &dyn Store) {
    let key = Some(format!("c-{}", JobId::new()));
    let first = enqueue(store, NewJob { concurrency_key: key.clone(), ..job() }).await;
    let second = enqueue(store, NewJob { concurrency_key: key, ..job() }).await;
    let held = claim(store, first).await.unwrap();
    finish(store, &held, Outcome::Retry { after: Duration::ZERO, error: error(1) }).await.unwrap();
    store.promote_due().await.unwrap();
    assert!(claim(store, second).await.is_none(), "the second turn overtook the first one's retry");
    let held = claim(store, first).await.unwrap();
    assert_eq!(held.attempt, 2);
    finish(store, &held, Outcome::Dead { error: error(2) }).await.unwrap();
    let held = claim(store, second).await.expect("a dead job frees its key");
    finish(store, &held, succeeded()).await.unwrap();
}

async fn parents_wait_for_children(store: &dyn Store) {
    let parent = enqueue(store, NewJob { pending_children: 2, ..job() }).await;
    let mut children = Vec::new();
    for _ in 0..2 {
        children.push(enqueue(store, NewJob { parent: Some(parent), ..job() }).await);
    }
    assert!(claim(store, parent).await.is_none());
    assert_eq!(store.job(None, parent).await.unwrap().waiting_for, Some("children"));
    finish(store, &claim(store, children[0]).await.unwrap(), succeeded()).await.unwrap();
    assert!(claim(store, parent).await.is_none(), "the parent ran before its last child");
    let last = claim(store, children[1]).await.unwrap();
    let committed = finish(store, &last, Outcome::Dead { error: error(1) }).await.unwrap();
    assert_eq!(committed.backlog, vec![Lane::Default]);
    let held = claim(store, parent).await.expect("the last child frees its parent");
    assert_eq!(held.failed_children, 1);
    finish(store, &held, succeeded()).await.unwrap();
}

async fn delayed_jobs_become_due(store: &dyn Store) {
    let far = Timestamp(i64::from(u32::MAX) * 1_000);
    let later = enqueue(store, NewJob { run_at: Some(far), ..job() }).await;
    let due =
        store.commit(Write::of(vec![Change::Enqueue(Box::new(NewJob { run_at: Some(far), ..job() }))])).await;
    assert_eq!(due.unwrap().due, Some(far), "the relay is told of the time");
    assert_eq!(store.job(None, later).await.unwrap().waiting_for, Some("time"));
    let (_, next) = store.promote_due().await.unwrap();
    assert_eq!(next, Some(far));
    assert!(claim(store, later).await.is_none());
    let past = enqueue(store, NewJob { run_at: Some(Timestamp(1_000)), ..job() }).await;
    assert!(claim(store, past).await.is_some(), "a time that has passed is no delay");
}

async fn jobs_of_dead_workers_run_again(store: &dyn Store) {
    let (lease, again) = (Duration::from_millis(40), Duration::from_mins(1));
    let id = enqueue(store, job()).await;
    let dead = worker(store).await;
    let old = store.claim(dead, vec![id]).await.unwrap().remove(0);
    store.reap(Duration::from_mins(1), again).await.unwrap();
    assert_eq!(state(store, id).await, JobState::Running, "a living worker's job was taken");
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while state(store, id).await == JobState::Running {
        assert!(std::time::Instant::now() < deadline, "a dead worker's job was not freed");
        store.reap(lease, again).await.unwrap();
    }
    let new = claim(store, id).await.unwrap();
    assert_eq!((new.attempt, new.max_attempts), (2, 4), "a lost worker is no fault of the job");
    assert_eq!(finish(store, &old, succeeded()).await, Err(ErrorKind::Stale));
    finish(store, &new, succeeded()).await.unwrap();

    let offered = enqueue(store, NewJob { handed: true, ..job() }).await;
    assert_eq!(state(store, offered).await, JobState::Handed);
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while state(store, offered).await == JobState::Handed {
        assert!(std::time::Instant::now() < deadline, "a lost offer was not repeated");
        store.reap(Duration::from_mins(1), Duration::from_millis(1)).await.unwrap();
    }
    finish(store, &claim(store, offered).await.unwrap(), succeeded()).await.unwrap();
}

async fn a_backlog_is_claimed_in_fair_order(store: &dyn Store) {
    let (flood, single) = (Tenant::from("flood"), Tenant::from("single"));
    let lane = Lane::Embed;
    for _ in 0..20 {
        enqueue(store, NewJob { lane, tenant: flood.clone(), ..job() }).await;
    }
    let alone = enqueue(store, NewJob { lane, tenant: single, ..job() }).await;
    let urgent = enqueue(store, NewJob { lane, tenant: flood, priority: 5, ..job() }).await;
    let who = worker(store).await;
    let first = store.claim_next(who, lane, 3).await.unwrap();
    let ids: Vec<_> = first.iter().map(|claim| claim.job).collect();
    assert_eq!(ids[0], urgent, "priority goes first");
    assert!(ids.contains(&alone), "one tenant's flood delayed another's single job");
    let rest = store.claim_next(who, lane, 100).await.unwrap();
    assert_eq!(rest.len(), 19);
    assert!(rest.is_sorted_by_key(|claim| claim.job), "what was enqueued first runs first");
    assert!(store.claim_next(who, lane, 100).await.unwrap().is_empty(), "a job was claimed twice");
    for claim in first.iter().chain(&rest) {
        assert_eq!((claim.lane, claim.attempt), (lane, 1));
        assert_eq!(state(store, claim.job).await, JobState::Running);
        finish(store, claim, succeeded()).await.unwrap();
    }
}

async fn cancels(store: &dyn Store) {
    let cancel = |ids: Vec<JobId>| Write::of(vec![Change::CancelJobs(JobFilter::default(), ids)]);
    let key = Some(format!("c-{}", JobId::new()));
    let running = enqueue(store, NewJob { concurrency_key: key.clone(), ..job() }).await;
    let waiting = enqueue(store, NewJob { concurrency_key: key, ..job() }).await;
    let who = worker(store).await;
    let held = store.claim(who, vec![running]).await.unwrap().remove(0);
    assert_eq!(store.asked_to_stop(vec![running, waiting]).await.unwrap(), []);
    let committed = store.commit(cancel(vec![running, waiting])).await.unwrap();
    assert_eq!(store.asked_to_stop(vec![running, waiting]).await.unwrap(), [running], "one of them runs");
    assert_eq!(committed.cancel, vec![(running, who)], "the worker that runs it is named");
    assert_eq!(committed.affected, 2);
    let ended = claim(store, waiting).await.expect("a cancelled job need not wait for its turn");
    assert!(ended.cancel_requested);
    finish(store, &ended, Outcome::Cancelled).await.unwrap();
    finish(store, &held, Outcome::Cancelled).await.unwrap();
    assert_eq!(state(store, waiting).await, JobState::Cancelled);
    assert_eq!(store.commit(cancel(vec![running])).await.unwrap().affected, 0, "an ended job was cancelled");
}

async fn retries_by_hand(store: &dyn Store) {
    let id = enqueue(store, job()).await;
    finish(store, &claim(store, id).await.unwrap(), Outcome::Dead { error: error(1) }).await.unwrap();
    let retry = Write::of(vec![Change::RetryJobs(JobFilter::default(), vec![id])]);
    assert_eq!(store.commit(retry.clone()).await.unwrap().affected, 1);
    let held = claim(store, id).await.unwrap();
    assert_eq!((held.attempt, held.max_attempts), (2, 4), "as many attempts as at first");
    assert_eq!(store.job(None, id).await.unwrap().errors.len(), 1, "the history is kept");
    finish(store, &held, succeeded()).await.unwrap();
    assert_eq!(store.commit(retry).await.unwrap().affected, 0, "a job that succeeded was run again");
    let open = enqueue(store, job()).await;
    let delete = Write::of(vec![Change::DeleteJobs(JobFilter::default(), vec![id, open])]);
    assert_eq!(store.commit(delete).await.unwrap().affected, 1, "only what has ended is deleted");
    assert_eq!(store.job(None, id).await.unwrap_err().kind, ErrorKind::NotFound);
    finish(store, &claim(store, open).await.unwrap(), succeeded()).await.unwrap();
}

async fn handing_back_costs_no_attempt(store: &dyn Store) {
    let id = enqueue(store, job()).await;
    let held = claim(store, id).await.unwrap();
    finish(store, &held, Outcome::HandedBack).await.unwrap();
    let held = claim(store, id).await.unwrap();
    assert_eq!((held.attempt, held.max_attempts), (2, 4));
    finish(store, &held, succeeded()).await.unwrap();
}

async fn lists_by_filter(store: &dyn Store) {
    let tenant = Tenant::from("lister");
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(enqueue(store, NewJob { tenant: tenant.clone(), ..job() }).await);
    }
    let outcome = Outcome::Succeeded { result: Some(serde_json::json!({"vectors": 3})) };
    finish(store, &claim(store, ids[2]).await.unwrap(), outcome).await.unwrap();
    let filter = |states| JobFilter { tenant: Some(tenant.clone()), states, ..JobFilter::default() };
    let page = PageRequest { limit: 2, ascending: true, ..PageRequest::default() };
    let first = store.jobs(&filter(vec![]), page).await.unwrap();
    assert!(first.has_more);
    assert_eq!(first.rows.iter().map(|job| job.id).collect::<Vec<_>>(), ids[..2]);
    let next = PageRequest { after: Some(ids[1].0), limit: 10, ..page };
    let rest = store.jobs(&filter(vec![]), next).await.unwrap();
    assert_eq!(rest.rows.iter().map(|job| job.id).collect::<Vec<_>>(), ids[2..]);
    assert!(!rest.has_more);
    let done = store.jobs(&filter(vec![JobState::Succeeded]), page).await.unwrap();
    assert_eq!(done.rows.iter().map(|job| job.id).collect::<Vec<_>>(), [ids[2]]);
    assert_eq!(done.rows[0].result, None, "a list goes without results");
    assert_eq!(store.job(None, ids[2]).await.unwrap().result, Some(serde_json::json!({"vectors": 3})));
    let foreign = store.job(Some(&Tenant::from("stranger")), ids[0]).await.unwrap_err();
    assert_eq!(foreign.kind, ErrorKind::NotFound);
}
