use crate::{app::App, speaker::Speaker};
use serde_json::{Value, json};

async fn turn(app: &App) -> (String, Value) {
    let session = app.session().await;
    let turn = app.post(&format!("{session}/messages"), json!({"content": "q", "top_k": 2})).await.is(202);
    (turn.header("location"), turn.json())
}

#[tokio::test]
async fn a_response_can_be_cancelled_until_it_has_ended() {
    let app = App::start().await;
    let (path, body) = turn(&app).await;
    let cancelled = app.post(&format!("{path}/cancel"), json!({})).await.is(202).json();
    assert_eq!(cancelled["id"], body["response"]["id"]);
    let job = app.get(&format!("/api/v1/jobs/{}", cancelled["job_id"].as_str().unwrap())).await.json();
    assert_eq!(job["cancel_requested"], true);
    Speaker::of(&app, &body["response"]).await.end("x").await;
    let reply = app.post(&format!("{path}/cancel"), json!({})).await;
    assert!(reply.problem(409, "conflict").is_empty());
    assert!(reply.json()["detail"].as_str().unwrap().contains("completed"));
    let unknown = "/api/v1/responses/resp_019aa0c8-6f30-7aa0-b5a0-0a4f4a1b2c3d/cancel";
    app.post(unknown, json!({})).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_message_can_be_answered_again() {
    let app = App::start().await;
    let (path, body) = turn(&app).await;
    Speaker::of(&app, &body["response"]).await.end("first").await;
    let again = app.post(&format!("{path}/regenerate"), json!({"temperature": 0.1})).await.is(202);
    let second = again.json();
    assert_ne!(second["id"], body["response"]["id"]);
    assert_eq!(second["message_id"], body["message"]["id"]);
    assert_eq!(app.get(&again.header("location")).await.is(200).json(), second);
    assert_eq!(app.get(&path).await.json()["output_text"], "first", "both are kept");
    let bad = app.post(&format!("{path}/regenerate"), json!({"content": "other"})).await;
    assert_eq!(bad.problem(422, "invalid_request"), ["content"]);
}
