//! What operators do: lanes, workers and schedules.

use super::{Client, ClientError, Job, LaneState, Worker};
use reqwest::Method;

impl Client {
    /// What waits and runs in every lane.
    pub async fn lanes(&self) -> Result<Vec<LaneState>, ClientError> {
        self.all("/lanes", &[]).await
    }

    /// Hands out nothing more of a lane, or its jobs again; the lane as it is then.
    pub async fn set_paused(&self, lane: &str, paused: bool) -> Result<LaneState, ClientError> {
        let verb = if paused { "pause" } else { "resume" };
        self.call(|| self.request(Method::POST, &format!("/lanes/{lane}/{verb}"))).await
    }

    /// Every worker that lives.
    pub async fn workers(&self) -> Result<Vec<Worker>, ClientError> {
        self.all("/workers", &[]).await
    }

    /// Enqueues what a schedule would enqueue.
    pub async fn run_schedule(&self, name: &str) -> Result<Job, ClientError> {
        self.call(|| self.request(Method::POST, &format!("/schedules/{name}/run"))).await
    }
}
