//! Another embedding model takes over while questions are answered.

use chat_tests::{
    chat::{ChatClient, eventually},
    deployment::{Deployment, Profile},
    fake_openai::FakeOpenAi,
    process,
};
use serde_json::{Value, json};

const NEXT: &str = "fake-embedding-2";
const PAGES: [(&str, &str); 3] = [
    ("绿茶.md", "# 绿茶\n\n绿茶应该密封、避光、冷藏保存。\n"),
    ("发票.md", "# 发票\n\n丢失发票时，请向财务部门提交说明。\n"),
    ("pumps.md", "# Pumps\n\nThe pump in the cellar is checked every week.\n"),
];

in_every_deployment!(a_new_embedding_model_takes_over_while_questions_are_answered);

async fn a_new_embedding_model_takes_over_while_questions_are_answered(profile: Profile) {
    let fake = FakeOpenAi::start().await;
    let settings = [("OPENAI_BASE_URL", fake.url()), ("EMBEDDING_MODEL", "offline".into())];
    let mut server = Deployment::start(profile, &settings).await;
    let collection = server.client().collection("pages").await;
    let mut documents = Vec::new();
    for (name, text) in PAGES {
        documents.push(upload(&server.client(), &collection, name, text).await);
    }
    assert_eq!(points(profile, &server).await, [("offline-hash-512".to_owned(), 3)]);

    // The next model does not answer for a while: nobody who asks notices.
    fake.directives("status=503");
    server.stop().await;
    server.set("EMBEDDING_MODEL", NEXT);
    if profile != Profile::Embedded {
        let said = process::ask(&["init"], server.folder(), server.settings()).await;
        let next = said.as_array().unwrap().iter().find(|part| part["part"] == "next embedding model");
        assert!(next.is_some_and(|next| next["place"] == NEXT && next["job"].is_string()), "{said}");
    }
    server.start_again().await;
    let client = server.client();
    assert_eq!(found(&client, "绿茶怎样保存？").await, documents[0]);
    documents.push(upload(&client, &collection, "咖啡.md", "# 咖啡\n\n咖啡豆要整粒保存。\n").await);
    assert_eq!(found(&client, "咖啡豆怎样保存？").await, documents[3]);
    assert!(jobs(&client, "build_vectors.v1").await.iter().any(|job| job["finished_at"].is_null()));

    fake.directives("");
    eventually("the old vectors are removed", async || {
        assert_eq!(found(&client, "发票丢了怎么办？").await, documents[1]);
        let drops = jobs(&client, "drop_vectors.v1").await;
        drops.iter().any(|job| job["state"] == "succeeded").then_some(())
    })
    .await;
    for (question, document) in [("绿茶怎样保存？", 0), ("the pump in the cellar", 2), ("咖啡豆", 3)]
    {
        assert_eq!(found(&client, question).await, documents[document], "{question}");
    }
    let session = client.session(&json!({})).await;
    let (_, turn) = client.ask(&session, "绿茶怎样保存？ [[fake:say=密封 [1]]]").await.unwrap();
    let end = client.response_end(turn["response"]["id"].as_str().unwrap()).await;
    assert_eq!(end["status"], "completed", "{end}");
    assert_eq!(points(profile, &server).await, [(NEXT.to_owned(), 4)]);
}

async fn upload(client: &ChatClient, collection: &str, name: &str, text: &str) -> String {
    let (_, uploaded) = client.upload(collection, name, text).await.unwrap();
    let document = uploaded["documents"][0]["id"].as_str().unwrap().to_owned();
    let end = client.document_end(&document).await;
    assert_eq!(end["status"], "ready", "{end}");
    document
}

/// The document whose words fit best. Whatever is searched by, nothing is missing for it; the fake model's vectors say
/// nothing of meaning, so which passage is nearest by them does not matter.
async fn found(client: &ChatClient, question: &str) -> String {
    let mut best = String::new();
    for mode in ["vector", "hybrid", "keyword"] {
        let body = json!({ "query": question, "mode": mode });
        let (status, found) = client.post("/search", &body).await.unwrap();
        assert!(status == 200 && found["degraded"].is_null(), "{mode}: {found}");
        best = found["data"][0]["document_id"].as_str().unwrap_or_else(|| panic!("{mode}: {found}")).into();
    }
    best
}

async fn jobs(client: &ChatClient, kind: &str) -> Vec<Value> {
    let (_, jobs) = client.get(&format!("/jobs?kind={kind}&limit=100")).await.unwrap();
    jobs["data"].as_array().unwrap().clone()
}

/// How many points the index has of each model.
async fn points(profile: Profile, server: &Deployment) -> Vec<(String, u64)> {
    if profile != Profile::Embedded {
        return server.ground().points_of_models().await;
    }
    let file = server.folder().join("data/index.db");
    let pool = sqlx_sqlite::SqlitePool::connect(&format!("sqlite:{}?mode=ro", file.display())).await.unwrap();
    let counts: Vec<(String, i64)> =
        sqlx::query_as("SELECT model, count(*) FROM points JOIN spaces USING (space) GROUP BY model")
            .fetch_all(&pool)
            .await
            .unwrap();
    pool.close().await;
    counts.into_iter().map(|(model, count)| (model, count as u64)).collect()
}
