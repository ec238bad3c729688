//! The jobs that run here, and how each of them is told to stop.

use chat_core::{Fence, Held, JobId};
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// A token for each job that runs here.
#[derive(Default)]
pub(crate) struct Running(Mutex<State>);

#[derive(Default)]
struct State {
    /// By job, with the fence of its claim: a job may be claimed again here while its last run is still being ended.
    tokens: HashMap<JobId, (Fence, CancellationToken)>,
    /// How many claims are under way.
    claims: usize,
    /// Jobs that are to stop and do not run here: perhaps they are just being claimed. Forgotten with the last claim.
    early: HashSet<JobId>,
}

impl Running {
    /// A claim begins. A cancel request may come before its answer is read: from now on it is remembered.
    pub(crate) fn claiming(&self) {
        self.state().claims += 1;
    }

    /// A claim has ended: these jobs run here.
    pub(crate) fn claimed(&self, jobs: impl Iterator<Item = Held>) {
        let state = &mut *self.state();
        for Held { job, fence } in jobs {
            let token = CancellationToken::new();
            if state.early.contains(&job) {
                token.cancel();
            }
            state.tokens.insert(job, (fence, token));
        }
        state.claims -= 1;
        if state.claims == 0 {
            state.early.clear();
        }
    }

    /// The token of a job that was claimed; one that nobody holds, if it was claimed again since.
    pub(crate) fn token(&self, held: Held) -> CancellationToken {
        let state = self.state();
        let token = state.tokens.get(&held.job).filter(|(fence, _)| *fence == held.fence);
        token.map(|(_, token)| token.clone()).unwrap_or_default()
    }

    /// This run has ended.
    pub(crate) fn forget(&self, held: Held) {
        let state = &mut *self.state();
        if state.tokens.get(&held.job).is_some_and(|(fence, _)| *fence == held.fence) {
            state.tokens.remove(&held.job);
        }
    }

    /// Passes a cancel request on, if the job runs here or may be about to.
    pub(crate) fn cancel(&self, id: JobId) {
        let state = &mut *self.state();
        if let Some((_, token)) = state.tokens.get(&id) {
            token.cancel();
        } else if state.claims > 0 {
            state.early.insert(id);
        }
    }

    /// The jobs that run here.
    pub(crate) fn jobs(&self) -> Vec<JobId> {
        self.state().tokens.keys().copied().collect()
    }

    /// How many jobs run here, and claims that may bring more.
    pub(crate) fn count(&self) -> usize {
        let state = self.state();
        state.tokens.len() + state.claims
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Held {
        Held { job: JobId::new(), fence: Fence::new() }
    }

    #[test]
    fn a_cancel_request_that_overtakes_the_claims_answer_is_not_lost() {
        let (running, [mine, other]) = (Running::default(), [held(), held()]);
        running.claiming();
        running.cancel(mine.job);
        assert_eq!(running.count(), 1, "a claim that may bring a job");
        running.claimed([mine, other].into_iter());
        assert!(running.token(mine).is_cancelled());
        assert!(!running.token(other).is_cancelled());
        running.cancel(other.job);
        assert!(running.token(other).is_cancelled());
    }

    #[test]
    fn what_others_are_to_stop_is_forgotten() {
        let (running, held) = (Running::default(), held());
        running.cancel(held.job);
        running.claiming();
        running.claimed([held].into_iter());
        assert!(!running.token(held).is_cancelled(), "an earlier run of it was meant, elsewhere");
        running.forget(held);
        running.claiming();
        running.claiming();
        running.cancel(held.job);
        running.claimed([].into_iter());
        running.claimed([].into_iter());
        running.claiming();
        running.claimed([held].into_iter());
        assert!(!running.token(held).is_cancelled());
        assert_eq!(running.count(), 1);
    }

    #[test]
    fn a_job_that_is_claimed_again_is_told_although_its_last_run_ends_late() {
        let (running, first) = (Running::default(), held());
        let second = Held { fence: Fence::new(), ..first };
        for held in [first, second] {
            running.claiming();
            running.claimed([held].into_iter());
        }
        running.forget(first);
        running.cancel(first.job);
        assert!(running.token(second).is_cancelled());
        assert!(!running.token(first).is_cancelled(), "it has ended by itself");
        running.forget(second);
        assert_eq!(running.count(), 0);
    }
}
