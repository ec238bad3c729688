//! Weaviate and the S3 server go away: what needs them waits, the rest goes on.

use super::{RECOVERY, load::User, outage, stage::Stage};
use chat_tests::{
    engines::{Engine, Engines, Links},
    process::Settings,
};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

#[tokio::test(flavor = "multi_thread")]
async fn weaviate_and_s3_go_away() {
    let mut stage = Stage::prepare("Weaviate and S3", &Engines::named(), &[]).await;
    let settings: Settings = stage.deployment.settings().clone();
    let links = Links::lay(&[Engine::Weaviate, Engine::S3], &settings).await;
    stage.start(links.settings()).await;
    // A turn that cannot search may say so.
    stage.history.excuse("dependency_unavailable");
    stage.load(outage(20) * 2 + Duration::from_secs(5)).await;

    stage.burst().await;
    links.cut(Engine::Weaviate).await;
    let gone = Instant::now();
    a_turn_ends(&stage, "Weaviate").await;
    sleep(outage(20).saturating_sub(gone.elapsed())).await;
    links.mend(Engine::Weaviate).await;
    stage.recovered("Weaviate away", Instant::now()).await;

    stage.burst().await;
    links.cut(Engine::S3).await;
    let gone = Instant::now();
    a_turn_ends(&stage, "S3").await;
    an_upload_is_told_to_wait(&stage).await;
    sleep(outage(20).saturating_sub(gone.elapsed())).await;
    links.mend(Engine::S3).await;
    stage.recovered("S3 away", Instant::now()).await;
    stage.finish().await;
}

/// Answered, or failed with a clear word, but in time.
async fn a_turn_ends(stage: &Stage, what: &str) {
    let user: User = stage.user();
    let key = format!("without-{what}");
    let asked = Instant::now();
    let session = user.session(&format!("session-{key}")).await;
    let response = user.ask(&session, "Which pump? [[fake:say=that one; tps=1000]]", &key).await;
    let end = timeout(RECOVERY, user.client.response_end(&response)).await;
    let end = end.unwrap_or_else(|_| panic!("without {what} a turn does not end"));
    println!("without {what} a turn ends after {:?}: {} {}", asked.elapsed(), end["status"], end["error"]);
    user.history.follow(&user.client, &response).await;
}

async fn an_upload_is_told_to_wait(stage: &Stage) {
    let client = stage.deployment.client();
    let collection = client.collection("without S3").await;
    let body = json!({ "text": "# A page\n\nThat waits.\n", "filename": "page.md" });
    let post = client.http.post(client.at(&format!("/collections/{collection}/documents"))).json(&body);
    let asked = Instant::now();
    let answer = timeout(RECOVERY, post.send()).await.expect("no answer without S3").unwrap();
    println!("without S3 an upload is answered {} after {:?}", answer.status(), asked.elapsed());
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"), "a 503 without Retry-After");
}
