//! What every endpoint has at hand.

use crate::{
    auth::{Identity, Keys, Watch},
    trace,
};
use chat_core::{Change, Committed, Dispatcher, Event, PortError, PortResult, StreamId, ports::Ports};
use std::{ops::Deref, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What is configured for the HTTP interface.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// The largest file, in bytes.
    pub max_upload_bytes: u64,
    /// The model that answers when the caller names none.
    pub default_model: String,
    /// Which web origins may call from a browser; `*`: any; empty: none but our own.
    pub cors_origins: Vec<String>,
    /// Which `Host` headers are answered; `.example.com` includes its subdomains; `None`: any.
    pub allowed_hosts: Option<Vec<String>>,
    /// How often an idle stream says that it is alive.
    pub keep_alive: Duration,
    /// How long open requests may take to end after the stop.
    pub grace: Duration,
    /// How callers are known.
    pub identity: Identity,
    /// How long `wait: true` waits for a job.
    pub job_wait: Duration,
    /// How long addresses of downloads are good, where the file store has such; `None`: all goes through here.
    pub presigned_downloads: Option<Duration>,
    /// How long a plain request may take.
    pub request_timeout: Duration,
    /// How many connections are served at a time.
    pub max_connections: usize,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self {
            max_upload_bytes: 100 * 1024 * 1024,
            default_model: "offline".to_owned(),
            cors_origins: Vec::new(),
            allowed_hosts: None,
            keep_alive: Duration::from_secs(10),
            grace: Duration::from_secs(30),
            identity: Identity { secret_key: String::new(), required: false },
            job_wait: Duration::from_mins(1),
            presigned_downloads: None,
            request_timeout: Duration::from_secs(30),
            max_connections: 10_000,
        }
    }
}

/// Events to be published once what they belong to is durable.
pub type Published = Vec<(StreamId, Event)>;

/// What every endpoint has at hand; a clone is one reference count.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// The parts of [`AppState`].
pub struct Shared {
    /// The outside world.
    pub ports: Ports,
    /// Commits writes and tells who waits for them.
    pub dispatcher: Dispatcher,
    /// What is configured here.
    pub options: ApiOptions,
    /// What is configured for the work: defaults that answers show.
    pub work: Arc<chat_jobs::Options>,
    /// Keys that were looked up lately.
    pub(crate) keys: Keys,
    /// What open streams depend on.
    pub(crate) watch: Watch,
    /// Fires when the process is asked to stop: it is not ready any more, but what is open is served.
    pub leaving: CancellationToken,
    /// Fires when the process stops: streams end, so that their clients resume elsewhere. Then it is leaving, too.
    pub draining: CancellationToken,
    /// What must not be dropped half-way when a client hangs up.
    pub tasks: TaskTracker,
}

impl Deref for AppState {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl AppState {
    /// A state over these ports.
    pub fn new(ports: Ports, options: ApiOptions, work: Arc<chat_jobs::Options>) -> Self {
        let dispatcher = ports.dispatcher();
        let (draining, tasks) = (CancellationToken::new(), TaskTracker::new());
        let leaving = draining.child_token();
        let (keys, watch) = (Keys::default(), Watch::default());
        Self(Arc::new(Shared { ports, dispatcher, options, work, keys, watch, leaving, draining, tasks }))
    }

    /// Commits, then publishes. A client that hangs up meanwhile does not stop it half-way.
    pub async fn commit(&self, mut changes: Vec<Change>, publish: Published) -> PortResult<Committed> {
        if let Some(trace) = trace::current() {
            trace.mark(&mut changes);
        }
        let (dispatcher, bus) = (self.dispatcher.clone(), self.ports.bus.clone());
        let work = async move {
            let committed = dispatcher.record(changes).await?;
            for (stream, event) in &publish {
                bus.publish(*stream, None, std::slice::from_ref(event)).await;
            }
            Ok(committed)
        };
        let task = self.tasks.spawn(work);
        task.await.unwrap_or_else(|error| Err(PortError::internal("a commit panicked").with_source(error)))
    }
}
