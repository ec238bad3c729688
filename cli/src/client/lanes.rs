//! What operators do: lanes and schedules.

use super::{Client, ClientError, Job, LaneState, Listed};
use reqwest::Method;

impl Client {
    /// What waits and runs in every lane.
    pub async fn lanes(&self) -> Result<Vec<LaneState>, ClientError> {
        let lanes: Listed<LaneState> = self.call(|| self.request(Method::GET, "/lanes")).await?;
        Ok(lanes.data)
    }

    /// Enqueues what a schedule would enqueue.
    pub async fn run_schedule(&self, name: &str) -> Result<Job, ClientError> {
        self.call(|| self.request(Method::POST, &format!("/schedules/{name}/run"))).await
    }
}
