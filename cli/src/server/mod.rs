//! A process that serves: ports, workers, HTTP interface, metrics. `chat up` is all of it, `chat api` has no workers,
//! `chat worker` no interface; other commands start a private one on loopback when no server has the data folder.

mod crew;
mod listen;
mod model;
mod open;
mod options;

pub use crew::Crew;
pub use open::{migrate, open, prepare};

use crate::{
    failure::{Failure, Outcome},
    telemetry::{self, Metrics},
};
use chat_adapters::Opened;
use chat_api::AppState;
use chat_config::Settings;
use chat_core::ports::Ports;
use chat_worker::Worker;
use futures::future::join_all;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long the parts beside the interface get to end.
const BESIDE: Duration = Duration::from_secs(2);

/// Who can reach a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Whoever the settings let; metrics too.
    Public,
    /// This process: loopback, any free port, not announced.
    Private,
    /// Nobody: there is no HTTP interface, only metrics and health.
    Nobody,
}

/// A running server.
pub struct Server {
    api: Option<SocketAddr>,
    metrics: Option<SocketAddr>,
    opened: Opened,
    workers: Vec<Worker>,
    serving: Option<JoinHandle<io::Result<()>>>,
    /// Fires when it is asked to stop: it is not ready from then on.
    leaving: CancellationToken,
    stop: CancellationToken,
    /// Fires when the interface has closed: until then whoever asks hears how it is.
    closed: CancellationToken,
    beside: TaskTracker,
}

impl Server {
    /// Starts everything; it answers when this returns.
    pub async fn start(settings: &Settings, reach: Reach, crew: Crew, metrics: &Metrics) -> Outcome<Self> {
        // Ports first: whoever asks for a taken one should learn it before any file is touched.
        let listener = listen::api(settings, reach).await?;
        let scrapes = listen::metrics(settings, reach).await?;
        let address =
            |listener: &TcpListener| listener.local_addr().map_err(|error| Failure::new(error.to_string()));
        let mut server = Self {
            api: listener.as_ref().map(address).transpose()?,
            metrics: scrapes.as_ref().map(address).transpose()?,
            opened: open(settings).await?,
            workers: Vec::new(),
            serving: None,
            leaving: CancellationToken::new(),
            stop: CancellationToken::new(),
            closed: CancellationToken::new(),
            beside: TaskTracker::new(),
        };
        if reach != Reach::Private {
            server.opened.warm().await;
        }
        let work = Arc::new(options::work(settings));
        model::settle(&server.opened.ports, &crew).await;
        server.workers = crew.start(settings, &server.opened.ports, &work).await;
        let state = AppState::new(server.opened.ports.clone(), options::api(settings, reach), work);
        server.leaving = state.leaving.clone();
        if let Some(listener) = listener {
            server.serve(state.clone(), listener);
        }
        server.measure(metrics, state, scrapes);
        if reach == Reach::Public {
            server.announce()?;
        }
        Ok(server)
    }

    fn serve(&mut self, state: AppState, listener: TcpListener) {
        let serving = chat_api::serve(listener, state, self.stop.clone());
        self.serving = Some(self.beside.spawn(serving));
    }

    fn measure(&self, metrics: &Metrics, state: AppState, listener: Option<TcpListener>) {
        self.beside.spawn(metrics.clone().keep_small(self.stop.clone()));
        self.beside.spawn(telemetry::watch(self.opened.vitals.clone(), self.stop.clone()));
        if let Some(listener) = listener {
            let serving = metrics.clone().serve(listener, state, self.closed.clone());
            self.beside.spawn(async move {
                if let Err(error) = serving.await {
                    tracing::error!(%error, "metrics are not served any more");
                }
            });
        }
    }

    /// Other commands find it by the data folder, if anything is in there.
    fn announce(&mut self) -> Outcome<()> {
        let url = self.url();
        let Some(lock) = &mut self.opened.lock else { return Ok(()) };
        lock.announce(url)
            .map_err(|error| Failure::new(format!("the data folder's lock file cannot be written: {error}")))
    }

    /// Where its interface is, as this machine reaches it.
    pub fn url(&self) -> Option<String> {
        self.api.map(listen::url)
    }

    /// Where metrics are.
    pub fn metrics_url(&self) -> Option<String> {
        self.metrics.map(|address| format!("{}/metrics", listen::url(address)))
    }

    /// Its ports.
    pub fn ports(&self) -> &Ports {
        &self.opened.ports
    }

    /// How many jobs run now.
    pub fn running(&self) -> usize {
        self.workers.iter().map(Worker::running).sum()
    }

    /// Waits for an end that nobody asked for.
    pub async fn broken(&mut self) -> Failure {
        let Some(serving) = &mut self.serving else { return std::future::pending().await };
        let ended = serving.await;
        self.serving = None;
        let why = match ended {
            Ok(Ok(())) => "it stopped by itself".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        Failure::new(format!("the HTTP interface ended: {why}"))
    }

    /// Is not ready from now on, lets running jobs end within `grace` while their streams are still served, then closes the
    /// interface, at last metrics and the files. What did not end goes on at the next start. Streams of jobs that run
    /// elsewhere end at once: their readers resume at another interface.
    pub async fn stop(self, grace: Duration) {
        let deadline = Instant::now() + grace;
        self.leaving.cancel();
        join_all(self.workers.into_iter().map(|worker| worker.drain(grace))).await;
        self.stop.cancel();
        // What requests have begun to write gets its time beyond that of jobs and streams.
        let closing = deadline.max(Instant::now()) + BESIDE;
        if let Some(serving) = self.serving
            && timeout_at(closing, serving).await.is_err()
        {
            tracing::warn!("the HTTP interface did not close in time");
        }
        self.closed.cancel();
        self.beside.close();
        if timeout(BESIDE, self.beside.wait()).await.is_err() {
            tracing::warn!("some parts did not end in time");
        }
        self.opened.close().await;
    }
}
