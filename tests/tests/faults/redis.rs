//! A Redis that forgets, restarts, and goes away: SQL remembers.

use super::{RECOVERY, outage, stage::Stage};
use chat_tests::{
    engines::{Engines, PrivateEngine},
    process::Settings,
};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// How long a caller waits for a 202 while Redis is away.
const ANSWERS: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn redis_forgets_restarts_and_goes_away() {
    let redis = PrivateEngine::redis();
    let mut stage = Stage::prepare("Redis", &Engines::named().with(redis.settings()), &[]).await;
    stage.start(&Settings::new()).await;
    stage.load(outage(30) + Duration::from_secs(20)).await;
    stage.burst().await;
    redis.flush().await;
    stage.recovered("FLUSHALL", Instant::now()).await;

    stage.burst().await;
    redis.restart();
    stage.recovered("a restart of Redis", Instant::now()).await;

    stage.burst().await;
    redis.stop();
    let gone = Instant::now();
    jobs_run_from_sql(&stage).await;
    sleep(outage(30).saturating_sub(gone.elapsed())).await;
    redis.start();
    stage.recovered("Redis away", Instant::now()).await;
    stage.finish().await;
}

/// Every interface still takes a turn at once, and it is answered.
pub async fn jobs_run_from_sql(stage: &Stage) {
    for place in 0..2 {
        let client = stage.deployment.processes[place].client();
        let asked = Instant::now();
        let (status, session) =
            timeout(ANSWERS, client.post("/sessions", &json!({}))).await.unwrap().unwrap();
        assert_eq!(status, 201, "without Redis: {session}");
        let path = format!("/sessions/{}/messages", session["id"].as_str().unwrap());
        let body = json!({ "content": "Without Redis? [[fake:say=yes; tps=1000]]" });
        let (status, turn) = timeout(ANSWERS, client.post(&path, &body)).await.unwrap().unwrap();
        assert_eq!(status, 202, "without Redis: {turn}");
        let accepted = asked.elapsed();
        let response = turn["response"]["id"].as_str().unwrap();
        stage.history.turn(response);
        let end = timeout(RECOVERY, client.response_end(response)).await.expect("no job runs without Redis");
        assert_eq!(end["status"], "completed", "{end}");
        stage.history.follow(&client, response).await;
        println!(
            "Redis: away, a turn was accepted in {accepted:?} and read to its end in {:?}",
            asked.elapsed()
        );
    }
}
