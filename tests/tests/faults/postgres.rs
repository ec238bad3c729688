//! A PostgreSQL that restarts and goes away: callers are told to wait, streams go on.

use super::{RECOVERY, outage, stage::Stage};
use chat_tests::{
    chat::eventually,
    engines::{Engines, PrivateEngine},
    process::Settings,
};
use futures::future::join_all;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

#[tokio::test(flavor = "multi_thread")]
async fn postgres_restarts_and_goes_away() {
    let postgres = PrivateEngine::postgres();
    let mut stage = Stage::prepare("PostgreSQL", &Engines::named().with(postgres.settings()), &[]).await;
    stage.start(&Settings::new()).await;
    stage.load(outage(20) + Duration::from_secs(15)).await;
    stage.burst().await;
    postgres.restart();
    stage.recovered("a restart of PostgreSQL", Instant::now()).await;

    stage.burst().await;
    postgres.stop();
    let gone = Instant::now();
    let before = stage.history.events();
    callers_are_told_to_wait(&stage).await;
    streams_go_on(&stage, before).await;
    sleep(outage(20).saturating_sub(gone.elapsed())).await;
    postgres.start();
    stage.recovered("PostgreSQL away", Instant::now()).await;
    stage.finish().await;
}

async fn callers_are_told_to_wait(stage: &Stage) {
    join_all((0..2).map(async |place: usize| {
        let client = stage.deployment.processes[place].client();
        let asked = Instant::now();
        let told = async {
            let post = client.http.post(client.at("/sessions")).json(&json!({}));
            let answer = post.send().await.unwrap();
            assert_eq!(answer.status(), 503);
            assert!(answer.headers().contains_key("retry-after"), "a 503 without Retry-After");
        };
        timeout(RECOVERY, told).await.expect("no answer without PostgreSQL");
        println!("PostgreSQL: away, 503 in {:?}", asked.elapsed());
    }))
    .await;
}

/// Each of the long answers has several words left.
async fn streams_go_on(stage: &Stage, before: usize) {
    let wanted = before + 12;
    let more = eventually("streams go on without PostgreSQL", async || {
        let now = stage.history.events();
        (now >= wanted).then_some(now - before)
    });
    let more = timeout(Duration::from_secs(5), more).await;
    println!("PostgreSQL: away, readers saw {more:?} more events");
    let seen = stage.history.events();
    assert!(more.is_ok(), "only {} events since PostgreSQL went away", seen - before);
}
