use crate::state::AppState;
use axum::{Json, extract::State, http::StatusCode};
use chat_core::PortResult;
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

/// How long a dependency may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether requests can be served.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// `ready`, `degraded` (something is away that most requests can do without), `unavailable` or `draining`.
    status: &'static str,
    /// What this process needs.
    checks: BTreeMap<&'static str, Check>,
}

/// One dependency.
#[derive(Debug, Serialize, ToSchema)]
pub struct Check {
    /// `up` or `down`.
    state: &'static str,
    /// How long it took to answer, in milliseconds.
    latency_ms: f64,
    /// What sort of error it gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// Whether this process can serve requests: each dependency with its state and latency.
#[utoipa::path(
    get, path = "/ready", tag = "health",
    responses((status = 200, body = Readiness), (status = 503, description = "Send requests elsewhere", body = Readiness))
)]
pub async fn get_ready(State(state): State<AppState>) -> (StatusCode, Json<Readiness>) {
    let ports = &state.ports;
    let (store, lanes, bus, blobs, index) = tokio::join!(
        check("store", ports.store.ping()),
        check("lanes", ports.lanes.ping()),
        check("bus", ports.bus.ping()),
        check("blobs", ports.blobs.ping()),
        check("index", ports.index.ping()),
    );
    // Without rows nothing works. Without the others requests are accepted, and streams follow the log.
    let (works, complete) =
        (store.1.is_up(), [&lanes, &bus, &blobs, &index].iter().all(|check| check.1.is_up()));
    let status = match (state.leaving.is_cancelled(), works, complete) {
        (true, _, _) => "draining",
        (false, false, _) => "unavailable",
        (false, true, false) => "degraded",
        (false, true, true) => "ready",
    };
    let code =
        if matches!(status, "ready" | "degraded") { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Readiness { status, checks: [store, lanes, bus, blobs, index].into() }))
}

async fn check(name: &'static str, ping: impl Future<Output = PortResult<()>>) -> (&'static str, Check) {
    let begun = Instant::now();
    let error = match timeout(PATIENCE, ping).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => {
            tracing::warn!(dependency = name, %error, "a dependency does not answer");
            Some(error.kind.as_str())
        }
        Err(_) => Some("timeout"),
    };
    let latency_ms = (begun.elapsed().as_secs_f64() * 1e6).round() / 1e3;
    let state = if error.is_none() { "up" } else { "down" };
    (name, Check { state, latency_ms, error })
}

impl Check {
    fn is_up(&self) -> bool {
        self.error.is_none()
    }
}
