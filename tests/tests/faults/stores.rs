//! Weaviate and the S3 server go away: searches use the words in the rows, ingestion waits, the rest goes on.

use super::{RECOVERY, load::User, outage, stage::Stage};
use chat_tests::{
    chat::eventually,
    engines::{Engine, Engines, Links},
    process::{Role, Settings},
    sse::SseReader,
};
use futures::future::join_all;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const PAGE: &str = "# 磁悬浮轴承\n\n磁悬浮轴承不需要润滑；停电时由备用轴承支撑。\n";

const BEFORE: &str = "磁悬浮轴承怎样润滑？";
const MEANWHILE: &str = "停电时磁悬浮轴承由什么支撑？";

#[tokio::test(flavor = "multi_thread")]
async fn weaviate_and_s3_go_away() {
    let mut stage = Stage::prepare("Weaviate and S3", &Engines::named(), &[]).await;
    let settings: Settings = stage.deployment.settings().clone();
    let links = Links::lay(&[Engine::Weaviate, Engine::S3], &settings).await;
    stage.start(links.settings()).await;
    stage.load(outage(20) * 2 + Duration::from_secs(5)).await;

    let known = a_known_page(&stage).await;
    assert_eq!(searched(&stage, BEFORE).await["degraded"], Value::Null);
    stage.burst().await;
    links.cut(Engine::Weaviate).await;
    let gone = Instant::now();
    let turn = a_turn_ends(&stage, "Weaviate").await;
    a_search_says_that_it_had_words_alone(&stage, &known, &turn).await;
    sleep(outage(20).saturating_sub(gone.elapsed())).await;
    links.mend(Engine::Weaviate).await;
    let back = Instant::now();
    stage.recovered("Weaviate away", back).await;
    eventually("searches are complete again", async || {
        searched(&stage, MEANWHILE).await["degraded"].is_null().then_some(())
    })
    .await;
    assert!(back.elapsed() < RECOVERY, "searches were incomplete for {:?}", back.elapsed());

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

/// A document that can be found.
async fn a_known_page(stage: &Stage) -> String {
    let client = stage.deployment.client();
    let collection = client.collection("known before").await;
    let (_, uploaded) = client.upload(&collection, "磁悬浮.md", PAGE).await.unwrap();
    let document = uploaded["documents"][0]["id"].as_str().unwrap().to_owned();
    stage.history.document(&document);
    assert_eq!(client.document_end(&document).await["status"], "ready");
    document
}

/// A question that was asked before is answered from the cache, whatever is away.
async fn searched(stage: &Stage, question: &str) -> Value {
    let body = json!({ "query": question });
    let (status, found) = stage.deployment.client().post("/search", &body).await.unwrap();
    assert_eq!(status, 200, "{found}");
    found
}

/// Both the search and the turn have passages, and say what they had to do with.
async fn a_search_says_that_it_had_words_alone(stage: &Stage, known: &str, response: &str) {
    let found = searched(stage, MEANWHILE).await;
    assert_eq!((&found["degraded"], &found["data"][0]["document_id"]), (&"keyword".into(), &known.into()));
    let client = stage.deployment.client();
    let events = SseReader::new(client.events(response, 0).await.unwrap()).rest().await.unwrap();
    let mut searches = events.iter().filter(|event| event.name == "response.file_search_call.completed");
    let last = searches.next_back().expect("a turn searches");
    assert_eq!(last.data["degraded"], "keyword", "{last:?}");
    assert_eq!(last.data["results"][0]["document_id"], known, "{last:?}");
    let workers = stage.deployment.of(Role::Worker);
    let counted = join_all(workers.map(|worker| worker.metric("searches_degraded_total"))).await;
    assert!(counted.iter().flatten().sum::<f64>() > 0.0, "no worker counted a degraded search");
}

/// Answered in time; the response.
async fn a_turn_ends(stage: &Stage, what: &str) -> String {
    let user: User = stage.user();
    let key = format!("without-{what}");
    let asked = Instant::now();
    let session = user.session(&format!("session-{key}")).await;
    let question = "磁悬浮轴承什么时候由备用轴承支撑？ [[fake:say=that one; tps=1000]]";
    let response = user.ask(&session, question, &key).await;
    let end = timeout(RECOVERY, user.client.response_end(&response)).await;
    let end = end.unwrap_or_else(|_| panic!("without {what} a turn does not end"));
    println!("without {what} a turn ends after {:?}: {} {}", asked.elapsed(), end["status"], end["error"]);
    assert_eq!(end["status"], "completed", "{end}");
    user.history.follow(&user.client, &response).await;
    response
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
