//! Background jobs.

use super::{Client, ClientError, Job, Listed};
use reqwest::Method;

/// Which jobs are meant.
#[derive(Debug, Clone, Default)]
pub struct JobQuery {
    /// Comma-separated states.
    pub state: Option<String>,
    /// The kind.
    pub kind: Option<String>,
    /// The lane.
    pub lane: Option<String>,
    /// How many at most.
    pub limit: usize,
}

/// The most rows of one page.
const PAGE: usize = 100;

impl Client {
    /// Jobs that match, newest first; and whether there are more.
    pub async fn jobs(&self, query: &JobQuery) -> Result<(Vec<Job>, bool), ClientError> {
        let mut jobs: Vec<Job> = Vec::new();
        loop {
            let limit = (query.limit - jobs.len()).min(PAGE).to_string();
            let after = jobs.last().map(|job| job.id.clone());
            let named =
                [("state", &query.state), ("kind", &query.kind), ("lane", &query.lane), ("after", &after)];
            let parameters: Vec<_> =
                named.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect();
            let make = || self.request(Method::GET, "/jobs").query(&[("limit", &limit)]).query(&parameters);
            let page: Listed<Job> = self.call(make).await?;
            let is_empty = page.data.is_empty();
            jobs.extend(page.data);
            if !page.has_more || is_empty || jobs.len() >= query.limit {
                return Ok((jobs, page.has_more));
            }
        }
    }

    /// One job.
    pub async fn job(&self, id: &str) -> Result<Job, ClientError> {
        self.call(|| self.request(Method::GET, &format!("/jobs/{id}"))).await
    }

    /// Gives a job that ended without success another set of tries.
    pub async fn retry_job(&self, id: &str) -> Result<Job, ClientError> {
        self.call(|| self.request(Method::POST, &format!("/jobs/{id}/retry"))).await
    }

    /// Stops a job.
    pub async fn cancel_job(&self, id: &str) -> Result<Job, ClientError> {
        self.call(|| self.request(Method::POST, &format!("/jobs/{id}/cancel"))).await
    }
}
