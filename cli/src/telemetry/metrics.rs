//! The process's metrics, and what answers `/metrics`.

use super::{depth::Depth, memory, names};
use crate::failure::{Failure, Outcome};
use axum::{
    Router,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::get,
};
use chat_api::AppState;
use metrics::gauge;
use metrics_exporter_prometheus::PrometheusHandle;
use std::{io, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How often samples are put away when nobody reads them.
const UPKEEP: Duration = Duration::from_secs(10);

/// What was measured so far.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

struct Scrape {
    handle: PrometheusHandle,
    depth: Depth,
}

impl Metrics {
    /// Starts to measure, once in a process.
    pub(super) fn install() -> Outcome<Self> {
        let handle = chat_api::install_metrics()
            .map_err(|error| Failure::new(format!("metrics cannot be measured: {error}")))?;
        names::describe();
        gauge!(names::BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Ok(Self(handle))
    }

    /// Serves `/metrics`, `/health` and `/ready` until the stop.
    pub async fn serve(
        self,
        listener: TcpListener,
        state: AppState,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let (store, clock) = (state.ports.store.clone(), state.ports.clock.clone());
        let most = state.options.max_connections;
        let scrape = Scrape { handle: self.0, depth: Depth::new(store, clock) };
        let router = Router::new()
            .route("/metrics", get(scraped))
            .layer(axum::middleware::from_fn(chat_api::secure))
            .with_state(Arc::new(scrape))
            .merge(chat_api::health(state));
        chat_api::serve_router(listener, router, most, stop).await
    }

    /// Samples would pile up if nobody came to read them.
    pub async fn keep_small(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(UPKEEP);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.0.run_upkeep();
        }
    }
}

async fn scraped(State(scrape): State<Arc<Scrape>>) -> Response {
    if let Err(error) = scrape.depth.refresh().await {
        tracing::warn!(%error, "the queue could not be counted for the metrics");
    }
    if let Some(bytes) = memory::resident() {
        gauge!(names::RESIDENT).set(bytes as f64);
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], scrape.handle.render()).into_response()
}
