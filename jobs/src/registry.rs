//! Which kinds there are.

use crate::{Done, Ending, JobContext, JobError, JobKind};
use chat_core::{Lane, PortError, PortResult, RetryPolicy};
use futures::future::BoxFuture;
use std::{collections::HashMap, marker::PhantomData, time::Duration};

/// A kind without its type: what the engine runs.
pub trait Handler: Send + Sync {
    /// The kind's name.
    fn kind(&self) -> &'static str;
    /// Where its jobs wait.
    fn lane(&self) -> Lane;
    /// How failures are tried again.
    fn retry(&self) -> RetryPolicy;
    /// The longest run of one attempt.
    fn timeout(&self) -> Duration;
    /// Whether the handler ends by itself when it is cancelled.
    fn ends_itself(&self) -> bool;
    /// Whether a run waits for what is away.
    fn waits(&self) -> bool;
    /// Whether a payload decodes.
    fn decodes(&self, payload: &str) -> bool;
    /// Decodes the payload and does the work.
    fn run<'a>(&'a self, cx: &'a JobContext) -> BoxFuture<'a, Result<Done, JobError>>;
    /// Decodes the payload and says what else is written when the job ends without success.
    fn end<'a>(&'a self, cx: &'a JobContext, ending: &'a Ending) -> BoxFuture<'a, PortResult<Done>>;
}

struct Erased<J>(PhantomData<fn() -> J>);

impl<J: JobKind> Erased<J> {
    fn decode(cx: &JobContext) -> Result<J, PortError> {
        serde_json::from_str(&cx.claim.payload).map_err(|error| {
            PortError::invalid(format!("the payload of {} does not decode: {error}", J::KIND))
        })
    }
}

impl<J: JobKind> Handler for Erased<J> {
    fn kind(&self) -> &'static str {
        J::KIND
    }

    fn lane(&self) -> Lane {
        J::LANE
    }

    fn retry(&self) -> RetryPolicy {
        J::RETRY
    }

    fn timeout(&self) -> Duration {
        J::TIMEOUT
    }

    fn ends_itself(&self) -> bool {
        J::ENDS_ITSELF
    }

    fn waits(&self) -> bool {
        J::WAITS
    }

    fn decodes(&self, payload: &str) -> bool {
        serde_json::from_str::<J>(payload).is_ok()
    }

    fn run<'a>(&'a self, cx: &'a JobContext) -> BoxFuture<'a, Result<Done, JobError>> {
        Box::pin(async move { Self::decode(cx)?.run(cx).await })
    }

    fn end<'a>(&'a self, cx: &'a JobContext, ending: &'a Ending) -> BoxFuture<'a, PortResult<Done>> {
        Box::pin(async move {
            cx.settled().await; // a run that was dropped may be writing still
            Self::decode(cx)?.end(cx, ending).await
        })
    }
}

/// The kinds that a worker can run.
#[derive(Default)]
pub struct Registry {
    handlers: HashMap<&'static str, Box<dyn Handler>>,
}

impl Registry {
    /// Adds a kind under its name and its earlier names.
    #[must_use]
    pub fn with<J: JobKind>(mut self) -> Self {
        for name in std::iter::once(&J::KIND).chain(J::ALIASES) {
            self.handlers.insert(name, Box::new(Erased::<J>(PhantomData)));
        }
        self
    }

    /// The handler of a kind.
    pub fn get(&self, kind: &str) -> Option<&dyn Handler> {
        self.handlers.get(kind).map(AsRef::as_ref)
    }

    /// All handlers; a kind with earlier names comes once for each.
    pub fn handlers(&self) -> impl Iterator<Item = &dyn Handler> {
        self.handlers.values().map(AsRef::as_ref)
    }

    /// Every name that can be run.
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = self.handlers.keys().copied().collect();
        kinds.sort_unstable();
        kinds
    }
}
