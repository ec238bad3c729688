use crate::{JobId, Limit, Standing, Tenant};
use async_trait::async_trait;

/// Whether there was room, and how far each limit is used now, in the order in which they were asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Whether there was room in every one.
    pub admitted: bool,
    /// How far each is used.
    pub standings: Vec<Standing>,
}

/// Counts what callers use, each tenant by itself. It never fails: who cannot reach the common counts goes by counts of
/// its own, so that callers are answered.
#[async_trait]
pub trait Limiter: Send + Sync {
    /// Counts one against every limit if all have room, and against none otherwise.
    async fn take(&self, tenant: &Tenant, limits: &[Limit]) -> Taken;
    /// How far limits are used. Counts nothing.
    async fn look(&self, tenant: &Tenant, limits: &[Limit]) -> Vec<Standing>;
    /// Counts what a job has used, whether there is room or not. A second time for the same job within the hour counts
    /// nothing.
    async fn spend(&self, tenant: &Tenant, limits: &[Limit], amount: u64, job: JobId);
}
