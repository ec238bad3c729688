use crate::app::App;
use futures::future::join_all;
use serde_json::json;

#[tokio::test]
async fn a_turn_is_recorded_with_its_job() {
    let app = App::start().await;
    let session = app.session().await;
    let turn = app
        .post(&format!("{session}/messages"), json!({"content": "年假有多少天？", "top_k": 3}))
        .await
        .is(202);
    let body = turn.json();
    let (message, response) = (&body["message"], &body["response"]);
    assert_eq!((&message["role"], &message["content"]), (&json!("user"), &json!("年假有多少天？")));
    assert_eq!(message["response_id"], response["id"]);
    assert_eq!((&response["status"], &response["message_id"]), (&json!("queued"), &message["id"]));
    assert_eq!(turn.header("location"), format!("/api/v1/responses/{}", response["id"].as_str().unwrap()));

    let shown = app.get(&turn.header("location")).await.is(200).json();
    assert_eq!(&shown, response, "what was answered is what is kept");
    let job = app.get(&format!("/api/v1/jobs/{}", response["job_id"].as_str().unwrap())).await.is(200).json();
    assert_eq!((&job["kind"], &job["lane"]), (&json!("answer_turn.v1"), &json!("chat")));
    assert_eq!(job["session_id"], response["session_id"]);
    let listed = app.get(&format!("{session}/messages")).await.is(200).json();
    assert_eq!(&listed["data"][0], message);
}

#[tokio::test]
async fn a_busy_conversation_queues_supersedes_or_rejects() {
    let app = App::start().await;
    let session = app.session().await;
    let path = format!("{session}/messages");
    let say = |on_busy: &'static str| {
        let (app, path) = (&app, &path);
        async move { app.post(path, json!({"content": "x", "on_busy": on_busy})).await }
    };
    let first = say("reject").await.is(202).json();
    say("reject").await.problem(409, "conflict");
    let second = say("queue").await.is(202).json();
    say("supersede").await.is(202);
    for turn in [first, second] {
        let job =
            app.get(&format!("/api/v1/jobs/{}", turn["response"]["job_id"].as_str().unwrap())).await.json();
        assert_eq!(job["cancel_requested"], true, "{job}");
    }
    let last = app.get(&format!("{path}?order=desc&limit=1")).await.json();
    assert_eq!(last["data"][0]["content"], "x");
}

#[tokio::test]
async fn of_many_at_once_one_finds_the_conversation_free() {
    let app = App::start().await;
    let path = format!("{}/messages", app.session().await);
    let say = |_| app.post(&path, json!({"content": "x", "on_busy": "reject"}));
    let mut statuses: Vec<_> = join_all((0..8).map(say)).await.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn content_has_limits() {
    let app = App::start().await;
    let session = app.session().await;
    let path = format!("{session}/messages");
    for content in [String::new(), "  \n".into(), "a\0b".into(), "x".repeat(1_000_000), "问".repeat(100_001)]
    {
        let reply = app.post(&path, json!({"content": content})).await;
        assert_eq!(reply.problem(422, "invalid_request"), ["content"]);
    }
    let long = app.post(&path, json!({"content": "问".repeat(1_000_000)})).await;
    assert_eq!(long.problem(422, "invalid_request"), ["content"]);
    let longer = app.post(&path, json!({"content": "问".repeat(3_000_000)})).await;
    longer.problem(413, "payload_too_large");
    app.post(&path, json!({"content": "问".repeat(100_000)})).await.is(202);
    assert_eq!(app.get(&path).await.json()["data"].as_array().unwrap().len(), 1, "nothing else was recorded");
}

#[tokio::test]
async fn unknown_sessions_and_collections() {
    let app = App::start().await;
    let body = json!({"content": "x"});
    let unknown = "/api/v1/sessions/ses_019aa0c8-6f30-7aa0-b5a0-0a4f4a1b2c3d/messages";
    app.post(unknown, body.clone()).await.problem(404, "not_found");
    app.get(unknown).await.problem(404, "not_found");
    app.post("/api/v1/sessions/1%20OR%201=1/messages", body).await.problem(404, "not_found");
    let session = app.session().await;
    let elsewhere = json!({"content": "x", "collections": ["col_019aa0c8-6f30-7aa0-b5a0-0a4f4a1b2c3d"]});
    let reply = app.post(&format!("{session}/messages"), elsewhere).await;
    assert_eq!(reply.problem(422, "invalid_request"), ["collections[0]"]);
}
