//! The jobs that run here, and how each of them is told to stop.

use chat_core::JobId;
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
    tokens: HashMap<JobId, CancellationToken>,
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
    pub(crate) fn claimed(&self, jobs: impl Iterator<Item = JobId>) {
        let state = &mut *self.state();
        for job in jobs {
            let token = state.tokens.entry(job).or_default();
            if state.early.contains(&job) {
                token.cancel();
            }
        }
        state.claims -= 1;
        if state.claims == 0 {
            state.early.clear();
        }
    }

    /// The token of a job that was claimed.
    pub(crate) fn token(&self, id: JobId) -> CancellationToken {
        self.state().tokens.entry(id).or_default().clone()
    }

    /// The job does not run here any more.
    pub(crate) fn forget(&self, id: JobId) {
        self.state().tokens.remove(&id);
    }

    /// Passes a cancel request on, if the job runs here or may be about to.
    pub(crate) fn cancel(&self, id: JobId) {
        let state = &mut *self.state();
        if let Some(token) = state.tokens.get(&id) {
            token.cancel();
        } else if state.claims > 0 {
            state.early.insert(id);
        }
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

    #[test]
    fn a_cancel_request_that_overtakes_the_claims_answer_is_not_lost() {
        let (running, [mine, other]) = (Running::default(), [JobId::new(), JobId::new()]);
        running.claiming();
        running.cancel(mine);
        assert_eq!(running.count(), 1, "a claim that may bring a job");
        running.claimed([mine, other].into_iter());
        assert!(running.token(mine).is_cancelled());
        assert!(!running.token(other).is_cancelled());
        running.cancel(other);
        assert!(running.token(other).is_cancelled());
    }

    #[test]
    fn what_others_are_to_stop_is_forgotten() {
        let (running, job) = (Running::default(), JobId::new());
        running.cancel(job);
        running.claiming();
        running.claimed([job].into_iter());
        assert!(!running.token(job).is_cancelled(), "an earlier run of it was meant, elsewhere");
        running.forget(job);
        running.claiming();
        running.claiming();
        running.cancel(job);
        running.claimed([].into_iter());
        running.claimed([].into_iter());
        running.claiming();
        running.claimed([job].into_iter());
        assert!(!running.token(job).is_cancelled());
        assert_eq!(running.count(), 1);
    }
}
