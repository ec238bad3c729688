//! Turns accepted over HTTP, durable when they are answered; nobody works meanwhile.

use super::{
    figures::Figures,
    rig::{Rig, failed},
};
use crate::{
    client::{Ask, Client},
    failure::{Failure, Outcome},
    server::{Crew, Reach, Server, prepare},
    settings::secret_key,
};
use chat_core::{Change, Farewell, SessionId, Tenant, ports::Ports};
use chat_jobs::QUEUED;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What is submitted, and by how many callers, each in a conversation of its own.
pub(super) struct Load {
    pub(super) count: usize,
    pub(super) callers: usize,
    /// Whether every turn has an `Idempotency-Key`.
    pub(super) keyed: bool,
}

/// Turns a second, and how long each waited.
pub(super) async fn measure(rig: &Rig, load: &Load) -> Outcome<Figures> {
    let mut figures = Figures::default();
    for run in 0..rig.runs {
        let settings = rig.settings(run);
        prepare(&settings).await?;
        let server = Server::start(&settings, Reach::Private, Crew::Nobody, &rig.metrics).await?;
        let url = server.url().unwrap_or_default();
        let client = Client::new(&url)?.with_secret_key(secret_key(&settings));
        let sessions = sessions(&client, load.callers).await?;
        let (times, took) = submit(&client, &sessions, load).await?;
        figures.add("turns_per_second", "turns/s", times.len() as f64 / took.as_secs_f64());
        figures.add_times(["accepted_ms.p50", "accepted_ms.p99"], times);
        forget(server.ports(), &sessions).await?;
        server.stop(Duration::from_secs(2)).await;
    }
    Ok(figures)
}

async fn sessions(client: &Client, count: usize) -> Outcome<Vec<String>> {
    let ask = Ask { question: "水泵".into(), collections: Vec::new() };
    let mut sessions = Vec::with_capacity(count);
    for _ in 0..count {
        sessions.push(client.begin(&ask).await?);
    }
    Ok(sessions)
}

async fn submit(client: &Client, sessions: &[String], load: &Load) -> Outcome<(Vec<Duration>, Duration)> {
    let (count, keyed) = (load.count, load.keyed);
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for (caller, session) in sessions.iter().enumerate() {
        let share = count / sessions.len() + usize::from(caller < count % sessions.len());
        let (client, session) = (client.clone(), session.clone());
        callers.spawn(async move {
            let mut times = Vec::with_capacity(share);
            for turn in 0..share {
                let key = keyed.then(|| format!("{session}-{turn}"));
                let asked = Instant::now();
                client.submit(&session, "水泵的压力是多少？", key.as_deref()).await?;
                times.push(asked.elapsed());
            }
            Outcome::Ok(times)
        });
    }
    let mut times = Vec::with_capacity(count);
    while let Some(ended) = callers.join_next().await {
        times.extend(ended.map_err(|error| Failure::new(error.to_string()))??);
    }
    Ok((times, begun.elapsed()))
}

/// What was asked is not answered by whoever works next.
async fn forget(ports: &Ports, sessions: &[String]) -> Outcome<()> {
    for session in sessions {
        let Ok(id) = session.parse::<SessionId>() else { continue };
        let tenant = Tenant::default();
        let open = ports.store.open_responses(&tenant, id).await.map_err(failed)?;
        let unheard = |(response, _)| Farewell { response, said: QUEUED, events: Vec::new() };
        let change = Change::DeleteSession(tenant, id, open.into_iter().map(unheard).collect());
        ports.dispatcher().record(vec![change]).await.map_err(failed)?;
    }
    Ok(())
}
