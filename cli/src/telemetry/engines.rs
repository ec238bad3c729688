//! What is measured of the engines outside this process.

use super::names;
use chat_adapters::Vitals;
use metrics::gauge;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How old these figures may be.
const INTERVAL: Duration = Duration::from_secs(5);

/// Measures until the stop.
pub async fn watch(vitals: Vitals, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Some(connections) = vitals.connections() {
            gauge!(names::POOL).set(f64::from(connections.size));
            gauge!(names::CHECKED_OUT).set(f64::from(connections.checked_out));
        }
        if let Some(Some(bytes)) = stop.run_until_cancelled(vitals.redis_memory()).await {
            gauge!(names::REDIS_MEMORY).set(bytes as f64);
        }
    }
}
