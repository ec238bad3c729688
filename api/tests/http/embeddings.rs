use crate::app::{App, DEADLINE};
use chat_core::{AttemptError, JobFilter, Outcome, PageRequest, Timestamp, WorkerId, Write};
use serde_json::json;
use tokio::time::Instant;

#[tokio::test]
async fn texts_become_a_job() {
    let app = App::start().await;
    let made = app.post("/api/v1/embeddings", json!({"input": ["一", "two"]})).await.is(202);
    let job = app.get(&made.header("location")).await.is(200).json();
    assert_eq!((&job["id"], &job["kind"]), (&made.json()["id"], &json!("embed_texts.v1")));
    assert_eq!(app.files().await, 1, "the texts are in the blob store, not in the payload");
}

/// Plays the worker of the first job that comes.
async fn end_the_job(app: &App, outcome: Outcome) {
    let (deadline, store) = (Instant::now() + DEADLINE, &app.state.ports.store);
    let id = loop {
        assert!(Instant::now() < deadline, "no job came");
        let jobs = store.jobs(&JobFilter::default(), PageRequest::default()).await.unwrap();
        if let Some(job) = jobs.rows.first() {
            break job.id;
        }
        tokio::task::yield_now().await;
    };
    let claim = store.claim(WorkerId::new(), vec![id]).await.unwrap().remove(0);
    store.commit(Write::finish(claim.held(), outcome, Vec::new())).await.unwrap();
}

#[tokio::test]
async fn whoever_waits_gets_the_vectors() {
    let app = App::start().await;
    let result = json!({"object": "list", "data": [{"index": 0, "embedding": [1.0]}]});
    let ask = || app.post_with_key("/api/v1/embeddings", "k", json!({"input": "x", "wait": true}));
    let outcome = Outcome::Succeeded { result: Some(result.clone()) };
    let (reply, ()) = tokio::join!(ask(), end_the_job(&app, outcome));
    assert_eq!(reply.is(200).json(), result);
    let again = ask().await.is(200);
    assert_eq!((again.json(), again.header("idempotent-replayed")), (result, "true".to_owned()));
    assert_eq!(again.header("content-type"), "application/json");
}

#[tokio::test]
async fn who_waits_in_vain_is_told_when_to_try_again() {
    let app = App::start().await;
    let error =
        AttemptError { attempt: 1, at: Timestamp(0), kind: "unavailable".into(), message: "away".into() };
    let ask = app.post("/api/v1/embeddings", json!({"input": "x", "wait": true}));
    let (reply, ()) = tokio::join!(ask, end_the_job(&app, Outcome::Dead { error }));
    let reply = reply.is(503);
    assert_eq!(reply.json()["code"], "provider_unavailable");
    assert!(reply.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn texts_that_the_model_rejects_are_the_callers() {
    let app = App::start().await;
    let error =
        AttemptError { attempt: 1, at: Timestamp(0), kind: "invalid".into(), message: "too long".into() };
    let ask = app.post("/api/v1/embeddings", json!({"input": "x", "wait": true}));
    let (reply, ()) = tokio::join!(ask, end_the_job(&app, Outcome::Dead { error }));
    assert_eq!(reply.problem(422, "invalid_request"), ["input"]);
}

#[tokio::test]
async fn bad_texts_are_named() {
    let app = App::start().await;
    for (input, field) in [
        (json!([]), "input"),
        (json!(7), "input"),
        (json!(null), "input"),
        (json!(["a", 1]), "input[1]"),
        (json!([""]), "input[0]"),
        (json!(vec!["x"; 2049]), "input"),
    ] {
        let reply = app.post("/api/v1/embeddings", json!({"input": input})).await;
        assert_eq!(reply.problem(422, "invalid_request"), [field]);
    }
    let model = app.post("/api/v1/embeddings", json!({"input": "x", "model": "no-such-model"})).await;
    assert_eq!(model.problem(422, "invalid_request"), ["model"]);
    assert_eq!(app.files().await, 0);
}

#[tokio::test]
async fn searches_find_nothing_where_nothing_is() {
    let app = App::start().await;
    let found = app.post("/api/v1/search", json!({"query": "年假", "filter": {"a": 1}})).await.is(200).json();
    assert_eq!((&found["object"], &found["data"]), (&json!("list"), &json!([])));
    let bad = json!({"query": " ", "limit": 101, "mode": "magic", "filter": 1, "collections": "x"});
    let named = app.post("/api/v1/search", bad).await.problem(422, "invalid_request");
    assert_eq!(named, ["filter", "query", "collections", "limit", "mode"]);
}
