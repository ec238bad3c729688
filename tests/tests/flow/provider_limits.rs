//! A model's provider asks for a pause while many want it.

use super::with_fake;
use chat_tests::{
    chat::{ChatClient, eventually},
    deployment::{Deployment, Profile},
    fake_openai::FakeOpenAi,
};
use futures::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

in_every_deployment!(
    write => turns_wait_until_the_provider_takes_them_again_and_none_fails,
    passages_wait_too,
);

const TURNS: usize = 20;
const PAUSE: Duration = Duration::from_secs(4);

async fn ask(client: &ChatClient) -> Value {
    let session = client.session(&json!({})).await;
    let (status, turn) = client.ask(&session, "茶叶怎样保存？").await.unwrap();
    assert_eq!(status, 202, "{turn}");
    turn["response"].clone()
}

async fn job(client: &ChatClient, response: &Value) -> Value {
    client.get(&format!("/jobs/{}", response["job_id"].as_str().unwrap())).await.unwrap().1
}

async fn turns_wait_until_the_provider_takes_them_again_and_none_fails(profile: Profile) {
    let (fake, server) = with_fake(profile, "status=429; retry-after=4").await;
    let client = server.client();
    let mut turns = vec![ask(&client).await];
    eventually("the first turn waits", async || {
        let waits = job(&client, &turns[0]).await["waiting_for"] == "model";
        (waits && fake.journal().count() == 1).then_some(())
    })
    .await;
    fake.directives("say=密封 保存");
    turns.extend(join_all((1..TURNS).map(async |_| ask(&client).await)).await);
    let last = eventually("the others wait", async || {
        let last = job(&client, turns.last().unwrap()).await;
        (last["waiting_for"] == "model").then_some(last)
    })
    .await;
    assert_eq!((&last["state"], &last["attempt"]), (&json!("waiting"), &json!(0)), "{last}");
    let stream = client.events(turns.last().unwrap()["id"].as_str().unwrap(), 0).await.unwrap();
    for turn in &turns {
        let end = client.response_end(turn["id"].as_str().unwrap()).await;
        assert_eq!(end["status"], "completed", "{end}");
    }
    let calls = fake.journal().calls();
    assert_eq!(calls.len(), TURNS + 1, "the first one twice, all others once");
    let came: Vec<_> = calls[1..].iter().map(|call| call.at - calls[0].at).collect();
    let (first, last) = (came.iter().min().unwrap(), came.iter().max().unwrap());
    assert!(*first + Duration::from_millis(100) >= PAUSE, "one was asked after {first:?}");
    assert!(last.abs_diff(*first) > Duration::from_millis(200), "they came back at once: {came:?}");
    for (number, turn) in turns.iter().enumerate() {
        let job = job(&client, turn).await;
        let begun = usize::from(number == 0) + 1;
        assert_eq!(job["attempt"], begun, "{job}");
        assert_eq!(job["errors"].as_array().unwrap().len(), begun - 1, "{job}");
        assert_eq!(job["max_attempts"], 2 + begun, "what the provider wishes costs no attempt: {job}");
    }
    let told = stream.text().await.unwrap();
    assert!(!told.contains("response.restarted") && told.contains("response.completed"), "{told}");
}

async fn passages_wait_too(profile: Profile) {
    let fake = FakeOpenAi::start().await;
    fake.directives("status=429; retry-after=3");
    let settings = [("OPENAI_BASE_URL", fake.url()), ("EMBEDDING_MODEL", "fake-embedding".into())];
    let server = Deployment::start(profile, &settings).await;
    let client = server.client();
    let collection = client.collection("茶").await;
    let (_, uploaded) =
        client.upload(&collection, "茶.md", "# 茶\n\n茶叶要放在干燥的地方。\n").await.unwrap();
    let document = uploaded["documents"][0]["id"].as_str().unwrap();
    let jobs = async || {
        let path = format!("/jobs?document={document}&kind=embed_chunks.v1");
        client.get(&path).await.unwrap().1["data"][0].clone()
    };
    eventually("the passages wait", async || (jobs().await["waiting_for"] == "model").then_some(())).await;
    fake.directives("");
    let end = client.document_end(document).await;
    assert_eq!(end["status"], "ready", "{end}");
    let job = jobs().await;
    assert_eq!(job["attempt"].as_u64().unwrap() + 4, job["max_attempts"].as_u64().unwrap(), "{job}");
}
