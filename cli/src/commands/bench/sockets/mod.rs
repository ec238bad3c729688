//! Many turns at once, each followed by sockets at several interfaces: whether every stream is complete, how long a
//! token takes from the model to the client, and what a turn and a socket cost in memory.

mod fleet;
mod model;
mod reader;

use super::{figures::Figures, rig::Rig};
use crate::{
    client::{Ask, Client},
    failure::{Failure, Outcome},
    server::prepare,
    settings::secret_key,
};
use fleet::{Fleet, Peaks};
use futures::{StreamExt, TryStreamExt, stream};
use model::Model;
use reader::{Heard, Reader};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

/// How many connections or requests are begun at a time.
const ABREAST: usize = 64;
/// A stream that says nothing for so long is lost.
const SILENCE: Duration = Duration::from_mins(1);

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) turns: usize,
    /// Each turn is followed by `sockets / turns` of them.
    pub(super) sockets: usize,
    /// Interfaces, where engines are configured; else everything is one process.
    pub(super) apis: usize,
    /// The length of an answer.
    pub(super) tokens: usize,
    pub(super) tokens_per_second: f64,
    /// Over how many seconds the turns begin; 0: as fast as they are accepted. Less than a socket may be silent.
    pub(super) over: u8,
}

pub(super) async fn measure(rig: &Rig, load: &Load) -> Outcome<Figures> {
    if !(load.tokens_per_second > 0.0 && load.turns > 0) {
        return Err(Failure::wrong_use("--turns and --tokens-per-second must be more than 0"));
    }
    if load.sockets < load.turns {
        return Err(Failure::wrong_use("--sockets must be at least --turns: each turn needs a reader"));
    }
    let mut figures = Figures::default();
    for run in 0..rig.runs {
        let model = Model::start(load.tokens, load.tokens_per_second).await?;
        let settings = rig.settings(run);
        prepare(&settings).await?;
        let fleet = Fleet::start(&settings, model.url(), load.apis).await?;
        let clients = clients(rig, &fleet)?;
        let (heard, peaks, took) = all(&fleet, &clients, load).await?;
        report(&mut figures, load, heard, &peaks);
        figures.add("seconds", "s", took.as_secs_f64());
        fleet.stop().await;
    }
    Ok(figures)
}

fn clients(rig: &Rig, fleet: &Fleet) -> Outcome<Vec<Client>> {
    let key = secret_key(&rig.settings(0));
    let client = |url: &String| Client::new(url).map(|client| client.with_secret_key(key.clone()));
    fleet.urls().iter().map(client).collect()
}

/// Opens the sockets, then begins the turns, and reads to the end.
async fn all(fleet: &Fleet, clients: &[Client], load: &Load) -> Outcome<(Vec<Heard>, Peaks, Duration)> {
    let sessions = sessions(clients, 1 + load.turns).await?;
    let warm = Reader::open(&clients[0]).await?;
    let response = clients[0].submit(&sessions[0], "水泵热了吗？", None).await?;
    warm.read(&response, SILENCE).await?;
    // What is counted: the sockets themselves, too.
    let before = fleet.memory();
    let readers: Vec<Reader> =
        stream::iter((0..load.sockets).map(|n| Reader::open(&clients[n % clients.len()])))
            .buffered(ABREAST)
            .try_collect()
            .await?;
    let done = Arc::new(AtomicBool::new(false));
    let watch = fleet.watch(done.clone());
    let begun = Instant::now();
    let heard = turns(clients, readers, sessions, load);
    let (heard, peak) = tokio::join!(async { (heard.await, done.store(true, Ordering::Release)).0 }, watch);
    Ok((heard?, Peaks::new(&before, &peak), begun.elapsed()))
}

async fn sessions(clients: &[Client], count: usize) -> Outcome<Vec<String>> {
    let ask = Ask { question: "水泵".into(), collections: Vec::new() };
    let begun = stream::iter((0..count).map(|n| clients[n % clients.len()].begin(&ask))).buffered(ABREAST);
    Ok(begun.try_collect().await?)
}

/// The turn `n` is posted to one interface and read by the sockets `n`, `n + turns`, ... at others.
async fn turns(
    clients: &[Client],
    readers: Vec<Reader>,
    sessions: Vec<String>,
    load: &Load,
) -> Outcome<Vec<Heard>> {
    let mut of_turn: Vec<Vec<Reader>> = (0..load.turns).map(|_| Vec::new()).collect();
    for (n, reader) in readers.into_iter().enumerate() {
        of_turn[n % load.turns].push(reader);
    }
    let mut reading = JoinSet::new();
    // No more posts at a time than this: their connections would count as memory of the sockets.
    let posting = Arc::new(Semaphore::new(ABREAST));
    for (n, (readers, session)) in of_turn.into_iter().zip(sessions.into_iter().skip(1)).enumerate() {
        let (client, posting) = (clients[n % clients.len()].clone(), posting.clone());
        let begins = Duration::from_secs(load.over.into()).mul_f64(n as f64 / load.turns as f64);
        reading.spawn(async move {
            sleep(begins).await;
            let post = posting.acquire().await;
            let response = client.submit(&session, &format!("水泵 {n} 的压力是多少？"), None).await?;
            drop(post);
            let reads = readers.into_iter().map(|reader| {
                let response = response.clone();
                async move { reader.read(&response, SILENCE).await }
            });
            futures::future::try_join_all(reads).await
        });
    }
    let mut heard = Vec::with_capacity(load.sockets);
    while let Some(ended) = reading.join_next().await {
        heard.extend(ended.map_err(|error| Failure::new(error.to_string()))??);
    }
    Ok(heard)
}

fn report(figures: &mut Figures, load: &Load, heard: Vec<Heard>, peaks: &Peaks) {
    let whole = |heard: &&Heard| heard.completed && heard.gaps == 0 && heard.tokens() == load.tokens;
    figures.add("complete_streams", "", heard.iter().filter(whole).count() as f64);
    figures.add("streams", "", heard.len() as f64);
    let events: usize = heard.iter().map(|heard| heard.events).sum();
    figures.add("events", "", events as f64);
    let delays = heard.into_iter().flat_map(|heard| heard.delays).collect();
    figures.add_times(["delivery_ms.p50", "delivery_ms.p99"], delays);
    figures.add("kib_per_turn", "KiB", peaks.workers_kib / load.turns as f64);
    if let Some(apis) = peaks.apis_kib {
        figures.add("kib_per_socket", "KiB", apis / load.sockets as f64);
    }
    figures.add("rss_mib", "MiB", peaks.highest_mib);
}
