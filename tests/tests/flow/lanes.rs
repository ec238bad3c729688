//! A lane is paused and resumed while the system works.

use super::with_fake;
use chat_tests::{
    chat::{ChatClient, eventually},
    deployment::Profile,
};
use futures::future::join_all;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

in_every_deployment!(a_paused_lane_waits_alone_and_goes_on_at_once);

const TURNS: usize = 20;
/// How soon a pause holds everywhere, and jobs begin again after a resume.
const SOON: Duration = Duration::from_secs(2);

async fn ask(client: &ChatClient, question: &str) -> Value {
    let session = client.session(&json!({})).await;
    let (status, turn) = client.ask(&session, question).await.unwrap();
    assert_eq!(status, 202, "{turn}");
    turn["response"].clone()
}

fn id(response: &Value) -> &str {
    response["id"].as_str().unwrap()
}

async fn a_paused_lane_waits_alone_and_goes_on_at_once(profile: Profile) {
    let (fake, server) = with_fake(profile, "say=茶 要 放在 干燥 的 地方; tps=4").await;
    let client = server.client();
    let running = ask(&client, "先问的问题").await;
    eventually("the first turn is answered", async || (fake.journal().streams().len() == 1).then_some(()))
        .await;
    let (status, paused) = client.post("/lanes/chat/pause", &json!({})).await.unwrap();
    assert_eq!((status.as_u16(), &paused["paused"]), (200, &json!(true)), "{paused}");

    let waiting =
        join_all((0..TURNS).map(async |number| ask(&client, &format!("第 {number} 个问题")).await)).await;
    let collection = client.collection("别的队列").await;
    let (_, uploaded) =
        client.upload(&collection, "茶.md", "# 茶\n\n茶叶要放在干燥的地方。\n").await.unwrap();
    let document = uploaded["documents"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(client.document_end(&document).await["status"], "ready", "other lanes are not paused");
    assert_eq!(client.response_end(id(&running)).await["status"], "completed", "what runs goes on");
    assert_eq!(fake.journal().streams().len(), 1, "a paused lane handed a job out");
    for response in &waiting {
        let (_, job) = client.get(&format!("/jobs/{}", response["job_id"].as_str().unwrap())).await.unwrap();
        assert_eq!((&job["waiting_for"], &job["attempt"]), (&json!("resume"), &json!(0)), "{job}");
    }

    // One that is not wanted any more does not wait for the resume.
    let unwanted = ask(&client, "不用回答了").await;
    client.post(&format!("/responses/{}/cancel", id(&unwanted)), &json!({})).await.unwrap();
    assert_eq!(client.response_end(id(&unwanted)).await["status"], "cancelled");

    let resumed = Instant::now();
    let (status, _) = client.post("/lanes/chat/resume", &json!({})).await.unwrap();
    assert_eq!(status, 200);
    eventually("all of them begin", async || (fake.journal().streams().len() == TURNS + 1).then_some(()))
        .await;
    assert!(resumed.elapsed() < SOON, "they began after {:?}", resumed.elapsed());
    for response in &waiting {
        assert_eq!(client.response_end(id(response)).await["status"], "completed", "nothing is lost");
    }
    assert_eq!(fake.journal().streams().len(), TURNS + 1, "a turn was answered twice");

    let (_, workers) = client.get("/workers").await.unwrap();
    let roles = profile.roles().iter().filter(|role| **role != chat_tests::process::Role::Api).count();
    assert_eq!(workers["data"].as_array().unwrap().len(), roles, "{workers}");
}
