//! What a job kind is.

use crate::{Done, Ending, JobContext, JobError};
use async_trait::async_trait;
use chat_core::{JobId, Lane, NewJob, PortResult, RetryPolicy, Tenant};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// A kind of job: its payload is the implementing type; policy and handler stand beside it.
///
/// Every job must be safe to repeat: it may run again after its worker died, and only the writes that it returns are
/// guarded by its claim.
#[async_trait]
pub trait JobKind: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name in rows, with the version of the payload: `verb_noun.v1`.
    const KIND: &'static str;
    /// Earlier names whose rows this type still decodes.
    const ALIASES: &'static [&'static str] = &[];
    /// Where jobs of this kind wait.
    const LANE: Lane;
    /// How failures are tried again.
    const RETRY: RetryPolicy;
    /// The longest run of one attempt.
    const TIMEOUT: Duration;
    /// The handler watches `JobContext::cancel` and ends by itself, soon, keeping what there is.
    /// Otherwise a cancelled run is dropped where it stands.
    const ENDS_ITSELF: bool = false;
    /// Nobody is waiting at a screen: when something that the work needs is away, the run waits for it, within its
    /// `TIMEOUT`, and goes on as soon as it is back. Otherwise that is a failed attempt like any other.
    const WAITS: bool = false;

    /// Does the work.
    async fn run(&self, cx: &JobContext) -> Result<Done, JobError>;

    /// What else is written when the job ends without success: it died, or was cancelled before or while it ran.
    async fn end(&self, _cx: &JobContext, _ending: &Ending) -> PortResult<Done> {
        Ok(Done::default())
    }

    /// A job of this kind; the caller adds what is special (cost, keys, parent).
    fn job(&self, tenant: &Tenant) -> NewJob {
        NewJob {
            id: JobId::new(),
            kind: Self::KIND.into(),
            lane: Self::LANE,
            tenant: tenant.clone(),
            priority: 0,
            cost: 1.0,
            payload: serde_json::to_string(self).unwrap_or_default(),
            max_attempts: Self::RETRY.max_attempts,
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
}
