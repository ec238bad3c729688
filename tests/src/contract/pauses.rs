//! Paused lanes and living workers, as one store or two of the same rows see them.

use super::jobs::job;
use chat_core::{
    Change, Claim, Committed, JobFilter, JobId, JobState, Lane, LaneSlots, LaneState, NewJob, Outcome,
    WorkerId, Write, ports::Store,
};
use std::time::Duration;

const LANE: Lane = Lane::Maintenance;
const LATELY: Duration = Duration::from_mins(1);

/// Runs every promise. What `one` writes holds for `other` as well.
pub async fn exercise(one: &dyn Store, other: &dyn Store) {
    of_a_paused_lane_nothing_is_claimed(one, other).await;
    what_runs_goes_on_and_cancelled_jobs_end(one, other).await;
    living_workers_are_listed(one, other).await;
}

async fn commit(store: &dyn Store, change: Change) -> Committed {
    store.commit(Write::of(vec![change])).await.unwrap()
}

async fn enqueue(store: &dyn Store, job: NewJob) -> JobId {
    commit(store, Change::Enqueue(Box::new(job))).await.jobs[0]
}

async fn finish(store: &dyn Store, claim: &Claim, outcome: Outcome) {
    store.commit(Write::finish(claim.held(), outcome, vec![])).await.unwrap();
}

fn succeeded() -> Outcome {
    Outcome::Succeeded { result: None }
}

async fn worker(store: &dyn Store) -> WorkerId {
    let worker = WorkerId::new();
    store.heartbeat(worker, &[(LANE, 4)]).await.unwrap();
    worker
}

async fn claim(store: &dyn Store, ids: &[JobId]) -> Vec<Claim> {
    let worker = worker(store).await;
    store.claim(worker, ids.to_vec()).await.unwrap()
}

/// What is claimed of the lane's backlog.
async fn claim_next(store: &dyn Store) -> Vec<Claim> {
    let worker = worker(store).await;
    store.claim_next(worker, LANE, 10).await.unwrap()
}

fn ids(claims: &[Claim]) -> Vec<JobId> {
    claims.iter().map(|claim| claim.job).collect()
}

async fn waits(store: &dyn Store, id: JobId) -> (JobState, Option<&'static str>) {
    let job = store.job(None, id).await.unwrap();
    (job.state, job.waiting_for)
}

async fn lane_state(store: &dyn Store) -> LaneState {
    let states = store.lane_states(LATELY).await.unwrap();
    assert_eq!(states.iter().map(|state| state.lane).collect::<Vec<_>>(), Lane::ALL);
    let others = states.iter().filter(|state| state.lane != LANE);
    assert!(others.into_iter().all(|state| state.paused_at.is_none()), "another lane is paused: {states:?}");
    states.into_iter().find(|state| state.lane == LANE).unwrap()
}

async fn of_a_paused_lane_nothing_is_claimed(one: &dyn Store, other: &dyn Store) {
    let in_lane = |handed| NewJob { lane: LANE, handed, ..job() };
    assert_eq!(lane_state(one).await.paused_at, None);
    let available = enqueue(one, in_lane(false)).await;
    let handed = enqueue(one, in_lane(true)).await;
    assert_eq!(waits(one, available).await, (JobState::Available, Some("worker")));
    commit(one, Change::PauseLane(LANE)).await;
    let since = lane_state(other).await.paused_at.expect("it is paused");
    commit(other, Change::PauseLane(LANE)).await;
    assert_eq!(lane_state(one).await.paused_at, Some(since), "it was paused before");
    let late = enqueue(one, in_lane(true)).await;
    for store in [one, other] {
        assert_eq!(claim_next(store).await, []);
        assert_eq!(claim(store, &[available, handed, late]).await, [], "an id that was handed out before");
    }
    assert_eq!(waits(other, available).await, (JobState::Available, Some("resume")));
    assert_eq!(waits(other, handed).await, (JobState::Available, Some("resume")), "it waits in the backlog");
    assert_eq!(waits(other, late).await.1, Some("resume"));
    let elsewhere = enqueue(one, job()).await;
    assert_eq!(waits(one, elsewhere).await.1, Some("worker"));
    finish(one, &claim(other, &[elsewhere]).await[0], succeeded()).await;

    assert_eq!(commit(other, Change::ResumeLane(LANE)).await.backlog, [LANE], "its backlog is announced");
    assert_eq!(lane_state(one).await.paused_at, None);
    let claims = claim_next(one).await;
    assert_eq!(ids(&claims), [available, handed, late], "nothing is lost, and the order is kept");
    for claim in claims {
        finish(one, &claim, succeeded()).await;
        assert_eq!(waits(other, claim.job).await, (JobState::Succeeded, None));
    }
    commit(one, Change::ResumeLane(LANE)).await;
    assert!(lane_state(one).await.ended >= 3, "they have just ended");
    assert_eq!(one.lane_states(Duration::ZERO).await.unwrap()[0].ended, 0);
}

async fn what_runs_goes_on_and_cancelled_jobs_end(one: &dyn Store, other: &dyn Store) {
    let in_lane = || NewJob { lane: LANE, ..job() };
    let running = enqueue(one, in_lane()).await;
    let held = claim(one, &[running]).await.remove(0);
    let [waits_on, unwanted] = [enqueue(one, in_lane()).await, enqueue(one, in_lane()).await];
    commit(other, Change::PauseLane(LANE)).await;
    finish(one, &held, succeeded()).await;
    assert_eq!(waits(one, running).await.0, JobState::Succeeded);
    let cancel = Change::CancelJobs(JobFilter::default(), vec![unwanted]);
    assert_eq!(commit(one, cancel).await.backlog, [LANE]);
    assert_eq!(claim(other, &[waits_on]).await, []);
    let ended = claim_next(other).await;
    assert_eq!(ids(&ended), [unwanted], "only its end is to be written");
    assert!(ended[0].cancel_requested);
    finish(other, &ended[0], Outcome::Cancelled).await;
    commit(one, Change::ResumeLane(LANE)).await;
    let held = claim_next(one).await;
    assert_eq!(ids(&held), [waits_on]);
    finish(one, &held[0], succeeded()).await;
}

async fn living_workers_are_listed(one: &dyn Store, other: &dyn Store) {
    let busy = WorkerId::new();
    one.heartbeat(busy, &[(Lane::Chat, 1_024), (LANE, 1)]).await.unwrap();
    let id = enqueue(one, NewJob { lane: LANE, ..job() }).await;
    let held = one.claim(busy, vec![id]).await.unwrap().remove(0);
    let listed = async |store: &dyn Store| {
        let workers = store.workers(LATELY).await.unwrap();
        assert!(workers.is_sorted_by_key(|worker| worker.id));
        workers.into_iter().find(|worker| worker.id == busy)
    };
    let shown = listed(other).await.expect("it lives");
    let slots = |lane, slots| LaneSlots { lane, slots: Some(slots) };
    assert_eq!((shown.lanes, shown.running), (vec![slots(Lane::Chat, 1_024), slots(LANE, 1)], 1));
    assert!(!shown.version.is_empty() && shown.last_seen.0 > 0);
    finish(one, &held, succeeded()).await;
    assert_eq!(listed(one).await.unwrap().running, 0);
    assert_eq!(other.workers(Duration::ZERO).await.unwrap(), [], "none was seen within no time");
    other.retire(busy).await.unwrap();
    assert_eq!(listed(one).await, None);
}
