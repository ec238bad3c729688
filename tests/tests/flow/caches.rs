//! What is read through a cache is what is there: at once, from every interface, and while Redis is away.

use super::with_fake;
use chat_tests::{
    chat::{ChatClient, eventually},
    deployment::{Deployment, Profile},
    engines::{Engine, Engines, Ground, Links},
    process::{Process, Role, Settings},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

in_every_deployment!(sessions_are_read_as_they_are, passages_are_read_as_they_are);

async fn patch(client: &ChatClient, session: &str, body: &Value) {
    let answer =
        client.http.patch(client.at(&format!("/sessions/{session}"))).json(body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

async fn show(client: &ChatClient, session: &str) -> Value {
    let (status, shown) = client.get(&format!("/sessions/{session}")).await.unwrap();
    assert_eq!(status, 200, "{shown}");
    shown
}

async fn titles(client: &ChatClient) -> Vec<String> {
    let (status, list) = client.get("/sessions").await.unwrap();
    assert_eq!(status, 200, "{list}");
    list["data"].as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
}

async fn texts(client: &ChatClient, document: &str) -> Vec<String> {
    let (status, list) = client.get(&format!("/documents/{document}/chunks?limit=100")).await.unwrap();
    assert_eq!(status, 200, "{list}");
    list["data"].as_array().unwrap().iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

/// How often processes found something in a cache.
async fn hits(server: &Deployment, cache: &str) -> f64 {
    let mut hits = 0.0;
    for process in &server.processes {
        let label = format!("cache=\"{cache}\"");
        hits += process.metric_of("cache_hits_total", &label).await.unwrap_or_default();
    }
    hits
}

async fn sessions_are_read_as_they_are(profile: Profile) {
    let (fake, server) = with_fake(profile, "say=好; tps=1000").await;
    // Requests go to the interfaces in turn: what one of them changes another one shows.
    let client = server.client();
    let session = client.session(&json!({"title": "0", "instructions": "说中文。"})).await;
    for number in 1..=20 {
        let title = number.to_string();
        patch(&client, &session, &json!({ "title": title })).await;
        assert_eq!(show(&client, &session).await["title"], title.as_str());
        assert_eq!(show(&client, &session).await["title"], title.as_str());
        assert_eq!(titles(&client).await, [title.as_str()]);
        assert_eq!(titles(&client).await, [title.as_str()]);
    }
    assert!(hits(&server, "session_data").await >= 10.0, "sessions were never found in the cache");
    assert!(hits(&server, "user_sessions").await >= 10.0, "lists were never found in the cache");

    // A message is no change of a session, but shows when it changed last; and a turn reads the session of now.
    for instructions in ["第一。", "第二。"] {
        patch(&client, &session, &json!({ "instructions": instructions })).await;
        let before = show(&client, &session).await["updated_at"].as_str().unwrap().to_owned();
        let (_, turn) = client.ask(&session, "问").await.unwrap();
        assert!(show(&client, &session).await["updated_at"].as_str().unwrap() > before.as_str());
        let end = client.response_end(turn["response"]["id"].as_str().unwrap()).await;
        assert_eq!(end["status"], "completed", "{end}");
        let calls = fake.journal().calls();
        let told = |call: &chat_tests::fake_openai::Call| call.body.to_string().contains(instructions);
        assert!(calls.iter().any(told), "the model was told something else: {calls:?}");
    }

    assert_eq!(client.delete(&format!("/sessions/{session}")).await.unwrap(), 204);
    for _ in 0..4 {
        assert_eq!(client.get(&format!("/sessions/{session}")).await.unwrap().0, 404);
        assert!(titles(&client).await.is_empty());
    }
}

async fn passages_are_read_as_they_are(profile: Profile) {
    let (_fake, server) = with_fake(profile, "").await;
    let client = server.client();
    let collection = client.collection("手册").await;
    let (_, uploaded) = client.upload(&collection, "泵.md", "# 泵\n\n第 1 版：每周检查。\n").await.unwrap();
    let id = uploaded["documents"][0]["id"].as_str().unwrap().to_owned();
    client.document_end(&id).await;
    for number in 2..=4 {
        for _ in 0..4 {
            let texts = texts(&client, &id).await;
            assert!(texts[0].contains(&format!("第 {} 版", number - 1)), "{texts:?}");
        }
        let part = reqwest::multipart::Part::text(format!("# 泵\n\n第 {number} 版：每月检查。\n"))
            .file_name("泵.md");
        let put = client.http.put(client.at(&format!("/documents/{id}/content")));
        let answer = put.multipart(reqwest::multipart::Form::new().part("file", part)).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        let newest = eventually("the new version answers", async || {
            let (_, document) = client.get(&format!("/documents/{id}")).await.ok()?;
            let ready = document["version"] == number && document["status"] == "ready";
            (ready && document["progress"]["stage"] == "ready").then_some(document)
        });
        newest.await;
    }
    assert!(hits(&server, "document_chunks").await >= 3.0, "passages were never found in the cache");
    assert!(texts(&client, &id).await[0].contains("第 4 版"));
    assert_eq!(client.delete(&format!("/documents/{id}")).await.unwrap(), 204);
    for _ in 0..4 {
        assert_eq!(client.get(&format!("/documents/{id}/chunks")).await.unwrap().0, 404);
    }
}

/// One interface is cut off from Redis while it changes what the other one has copies of there.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_redis_never_heard_of_is_seen() {
    let ground = Ground::claim(&Engines::named()).await;
    let mut server = Deployment::prepare(Some(ground), &[]).await;
    let links = Links::lay(&[Engine::Redis], &server.settings().clone()).await;
    server.add(Role::Api, links.settings()).await;
    server.add(Role::Api, &Settings::new()).await;
    server.add(Role::Worker, &Settings::new()).await;
    let interfaces: Vec<_> = server.of(Role::Api).map(Process::client).collect();
    let (cut, whole) = (&interfaces[0], &interfaces[1]);

    let changed = whole.session(&json!({"title": "旧"})).await;
    let deleted = whole.session(&json!({"title": "将删"})).await;
    let collection = whole.collection("手册").await;
    let (_, uploaded) = whole.upload(&collection, "泵.md", "# 泵\n\n将被删除。\n").await.unwrap();
    let document = uploaded["documents"][0]["id"].as_str().unwrap().to_owned();
    whole.document_end(&document).await;
    for client in &interfaces {
        assert_eq!(show(client, &changed).await["title"], "旧");
        show(client, &deleted).await;
        assert_eq!(titles(client).await, ["将删", "旧"]);
        assert_eq!(texts(client, &document).await.len(), 1);
    }

    links.cut(Engine::Redis).await;
    patch(cut, &changed, &json!({"title": "新"})).await;
    assert_eq!(cut.delete(&format!("/sessions/{deleted}")).await.unwrap(), 204);
    assert_eq!(cut.delete(&format!("/documents/{document}")).await.unwrap(), 204);
    let as_it_is = async || {
        for client in [whole, cut, whole] {
            assert_eq!(show(client, &changed).await["title"], "新");
            assert_eq!(client.get(&format!("/sessions/{deleted}")).await.unwrap().0, StatusCode::NOT_FOUND);
            assert_eq!(titles(client).await, ["新"]);
            let (status, answer) = client.get(&format!("/documents/{document}/chunks")).await.unwrap();
            assert_eq!(status, StatusCode::NOT_FOUND, "{answer}");
        }
    };
    as_it_is().await;
    links.mend(Engine::Redis).await;
    as_it_is().await;
    // The interface that was cut off uses the cache again.
    let place = server.processes.iter().position(|process| process.role == Role::Api).unwrap();
    let before = server.processes[place].metric("cache_hits_total").await.unwrap_or_default();
    eventually("Redis is used again", async || {
        show(cut, &changed).await;
        let now = server.processes[place].metric("cache_hits_total").await.unwrap_or_default();
        (now > before).then_some(())
    })
    .await;
    as_it_is().await;
}
