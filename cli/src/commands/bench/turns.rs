//! Turns as a client sees them, over HTTP.

use super::{
    direct::Direct,
    figures::Figures,
    rig::{Rig, resident_mib},
};
use crate::{
    client::Client,
    failure::{Failure, Outcome},
    server::{Crew, Reach, Server},
    settings::secret_key,
};
use chat_config::Settings;
use chat_core::ports::Llm;
use futures::StreamExt;
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinSet};

/// How long a document may take until it can be found.
const PATIENCE: Duration = Duration::from_mins(2);

/// What is asked of the server.
pub(super) struct Load {
    pub(super) count: usize,
    pub(super) concurrency: usize,
    pub(super) chunks: usize,
    pub(super) server: Option<String>,
}

/// When the parts of one turn came, counted from its request.
#[derive(Debug, Default)]
struct Turn {
    queued: Option<Duration>,
    first: Option<Duration>,
    /// Between two pieces of the answer.
    gaps: Vec<Duration>,
    completed: bool,
    /// How long the model alone took to its first piece, right before.
    direct: Option<Duration>,
}

pub(super) async fn measure(rig: &Rig, load: &Load) -> Outcome<Figures> {
    let mut figures = Figures::default();
    for run in 0..rig.runs {
        let settings = rig.settings(run);
        if let Some(url) = &load.server {
            let caller = Caller::new(url, &settings, None)?;
            ask(&caller, load, run, &mut figures).await?;
            continue;
        }
        let server = Server::start(&settings, Reach::Private, Crew::Once, &rig.metrics).await?;
        let before = resident_mib();
        let inside = server.ports().llm.clone();
        let caller = Caller::new(&server.url().unwrap_or_default(), &settings, Some(inside))?;
        let peak = ask(&caller, load, run, &mut figures).await?;
        if load.concurrency > 1 {
            // Both ends are in this process.
            let kib = (peak - before).max(0.0) * 1024.0 / load.concurrency as f64;
            figures.add("kib_per_turn_and_client", "KiB", kib);
        }
        figures.add("rss_mib", "MiB", peak);
        server.stop(Duration::from_secs(2)).await;
    }
    Ok(figures)
}

/// One run; the most memory that this process had meanwhile, in MiB.
async fn ask(caller: &Caller, load: &Load, run: u32, figures: &mut Figures) -> Outcome<f64> {
    caller.fill(load.chunks, run).await?;
    caller.turn("warm up the pump?").await?;
    let (turns, peak) = all(caller, load).await?;
    let of = |pick: fn(&Turn) -> Option<Duration>| turns.iter().filter_map(pick).collect::<Vec<_>>();
    figures.add_times(["queued_ms.p50", "queued_ms.p99"], of(|turn| turn.queued));
    figures.add_times(["first_token_ms.p50", "first_token_ms.p99"], of(|turn| turn.first));
    let added = |turn: &Turn| Some(turn.first?.saturating_sub(turn.direct?));
    let added: Vec<_> = turns.iter().filter_map(added).collect();
    if !added.is_empty() {
        figures.add_times(["added_first_token_ms.p50", "added_first_token_ms.p99"], added);
    }
    if load.concurrency > 1 {
        let gaps = turns.iter().flat_map(|turn| turn.gaps.iter().copied());
        figures.add_times(["gap_ms.p50", "gap_ms.p99"], gaps.collect());
    }
    figures.add("completed", "turns", turns.iter().filter(|turn| turn.completed).count() as f64);
    Ok(peak)
}

/// Asks everything, so many at a time; the most memory that was seen meanwhile.
async fn all(caller: &Caller, load: &Load) -> Outcome<(Vec<Turn>, f64)> {
    let places = Arc::new(Semaphore::new(load.concurrency));
    let (mut asked, alone) = (JoinSet::new(), load.concurrency == 1);
    for number in 0..load.count {
        let (caller, places) = (caller.clone(), places.clone());
        asked.spawn(async move {
            let _place = places.acquire_owned().await;
            let question = format!("what is the pressure of pump {}?", number % 997);
            let direct = match &caller.direct {
                Some(direct) if alone => Some(direct.first_token(&question).await?),
                _ => None,
            };
            caller.turn(&question).await.map(|turn| Turn { direct, ..turn })
        });
    }
    let (mut turns, mut peak) = (Vec::with_capacity(load.count), resident_mib());
    let mut look = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            ended = asked.join_next() => match ended {
                Some(turn) => turns.push(turn.map_err(|error| Failure::new(error.to_string()))??),
                None => return Ok((turns, peak)),
            },
            _ = look.tick() => peak = peak.max(resident_mib()),
        }
    }
}

#[derive(Clone)]
struct Caller {
    http: reqwest::Client,
    url: String,
    /// Makes the tokens of its requests.
    client: Client,
    /// Asked before each turn, if there is one turn at a time.
    direct: Option<Arc<Direct>>,
}

impl Caller {
    fn new(server: &str, settings: &Settings, inside: Option<Arc<dyn Llm>>) -> Outcome<Self> {
        let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(5)).no_proxy().build();
        Ok(Self {
            http: http.map_err(lost)?,
            url: format!("{server}/api/v1"),
            client: Client::new(server)?
                .with_api_key(settings.app.api_key.clone().filter(|_| inside.is_none()))
                .with_secret_key(secret_key(settings)),
            direct: Direct::of(settings, inside).map(Arc::new),
        })
    }

    fn signed(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match self.client.bearer() {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Outcome<reqwest::Response> {
        let request = self.signed(self.http.post(format!("{}{path}", self.url))).json(body);
        let answer = request.send().await.map_err(lost)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        Err(Failure::new(format!("{path} answered {status}: {}", answer.text().await.unwrap_or_default())))
    }

    /// A collection with so many passages, one for each section.
    async fn fill(&self, chunks: usize, run: u32) -> Outcome<()> {
        let name = format!("bench {} {run}", std::process::id());
        let collection: Value =
            self.post("/collections", &json!({ "name": name })).await?.json().await.map_err(lost)?;
        let id = collection["id"].as_str().unwrap_or_default();
        let filler = "Check the seal of this pump every week and write down what you saw. ".repeat(28);
        let per_document = 50;
        let mut documents = Vec::new();
        for first in (0..chunks).step_by(per_document) {
            let sections = (first..(first + per_document).min(chunks)).map(|number| {
                format!(
                    "# Pump {number}\n\nThe pressure of pump {number} is {} bar. {filler}\n\n",
                    number % 9 + 1
                )
            });
            let body = json!({"text": sections.collect::<String>(), "filename": format!("pumps-{first}.md")});
            let path = format!("/collections/{id}/documents");
            let uploaded: Value = self.post(&path, &body).await?.json().await.map_err(lost)?;
            documents.push(uploaded["documents"][0]["id"].as_str().unwrap_or_default().to_owned());
        }
        for document in documents {
            self.ready(&document).await?;
        }
        Ok(())
    }

    async fn ready(&self, document: &str) -> Outcome<()> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let request = self.signed(self.http.get(format!("{}/documents/{document}", self.url)));
            let answer = request.send().await.map_err(lost)?;
            let state: Value = answer.json().await.map_err(lost)?;
            match state["status"].as_str() {
                Some("ready") => return Ok(()),
                Some("failed" | "cancelled") => {
                    return Err(Failure::new(format!("a document was not read: {state}")));
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        Err(Failure::new(format!("{document} was not read within {} s", PATIENCE.as_secs())))
    }

    /// One turn in a session of its own, its events on the same connection.
    async fn turn(&self, question: &str) -> Outcome<Turn> {
        let session: Value = self.post("/sessions", &json!({})).await?.json().await.map_err(lost)?;
        let path = format!("/sessions/{}/messages", session["id"].as_str().unwrap_or_default());
        let started = Instant::now();
        let answer = self.post(&path, &json!({"content": question, "stream": true})).await?;
        let mut body = answer.bytes_stream();
        let (mut turn, mut last, mut rest) = (Turn::default(), None, Vec::new());
        while let Some(piece) = body.next().await {
            rest.extend_from_slice(&piece.map_err(lost)?);
            let now = Instant::now();
            while let Some(end) = rest.windows(2).position(|two| two == b"\n\n") {
                let frame: Vec<u8> = rest.drain(..end + 2).collect();
                let frame = String::from_utf8_lossy(&frame);
                let name = frame.lines().find_map(|line| line.strip_prefix("event: "));
                match name {
                    Some("response.queued") => turn.queued = Some(now - started),
                    Some("response.output_text.delta") => {
                        turn.first.get_or_insert(now - started);
                        turn.gaps.extend(last.replace(now).map(|last| now - last));
                    }
                    Some("response.completed") => turn.completed = true,
                    _ => {}
                }
            }
        }
        Ok(turn)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn lost(error: reqwest::Error) -> Failure {
    Failure::new(format!("the connection failed: {error}"))
}
