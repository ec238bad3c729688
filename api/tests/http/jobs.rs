use crate::{app::App, speaker::Speaker};
use chat_core::{AttemptError, Change, JobId, NewJob, Outcome, Timestamp, WorkerId, Write};
use chat_jobs::{JobKind, Noop};
use serde_json::{Value, json};

async fn turn_job(app: &App) -> (String, Value) {
    let session = app.session().await;
    let turn = app.post(&format!("{session}/messages"), json!({"content": "x"})).await.is(202).json();
    let id = turn["response"]["job_id"].as_str().unwrap();
    let path = format!("/api/v1/jobs/{id}");
    let job = app.get(&path).await.is(200).json();
    (path, job)
}

/// Lets a job fail for good.
async fn kill(app: &App, job: &Value) {
    let store = &app.state.ports.store;
    let id: JobId = job["id"].as_str().unwrap().parse().unwrap();
    let claim = store.claim(WorkerId::new(), vec![id]).await.unwrap().remove(0);
    let error =
        AttemptError { attempt: 1, at: Timestamp(0), kind: "timeout".into(), message: "too slow".into() };
    store.commit(Write::finish(claim.held(), Outcome::Dead { error }, Vec::new())).await.unwrap();
}

async fn count(app: &App, path: String) -> usize {
    app.get(&path).await.is(200).json()["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn jobs_are_found_by_what_they_are_about() {
    let app = App::start().await;
    let (_, first) = turn_job(&app).await;
    let (_, second) = turn_job(&app).await;
    let session = first["session_id"].as_str().unwrap();
    let count = |query: &str| count(&app, format!("/api/v1/jobs?{query}"));
    assert_eq!(count("").await, 2);
    assert_eq!(count(&format!("session={session}")).await, 1);
    assert_eq!(count("kind=answer_turn.v1&lane=chat&tenant=default").await, 2);
    assert_eq!(count("tenant=other").await, 0);
    assert_eq!(count("state=dead,cancelled").await, 0);
    kill(&app, &second).await;
    assert_eq!(count("state=dead").await, 1);
    let bad = app.get("/api/v1/jobs?state=happy&lane=fast&session=doc_1").await;
    assert_eq!(bad.problem(422, "invalid_request"), ["state", "lane", "session"]);
}

#[tokio::test]
async fn results_are_shown_with_their_own_job_only() {
    let app = App::start().await;
    let (path, job) = turn_job(&app).await;
    let store = &app.state.ports.store;
    let id: JobId = job["id"].as_str().unwrap().parse().unwrap();
    let claim = store.claim(WorkerId::new(), vec![id]).await.unwrap().remove(0);
    let outcome = Outcome::Succeeded { result: Some(json!({"vectors": [1.0]})) };
    store.commit(Write::finish(claim.held(), outcome, Vec::new())).await.unwrap();
    assert_eq!(app.get(&path).await.json()["result"], json!({"vectors": [1.0]}));
    let listed = app.get("/api/v1/jobs").await.is(200).json();
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["result"]), (&job["id"], &json!(null)));
}

#[tokio::test]
async fn a_dead_job_is_shown_and_tried_again() {
    let app = App::start().await;
    let (path, job) = turn_job(&app).await;
    app.post(&format!("{path}/retry"), json!({})).await.problem(409, "conflict");
    kill(&app, &job).await;
    let dead = app.get(&path).await.json();
    assert_eq!((&dead["state"], &dead["errors"][0]["message"]), (&json!("dead"), &json!("too slow")));
    app.post(&format!("{path}/cancel"), json!({})).await.problem(409, "conflict");
    app.post(&format!("{path}/retry"), json!({})).await.is(202);
    let again = app.get(&path).await.json();
    assert_eq!((&again["state"], again["errors"].as_array().unwrap().len()), (&json!("available"), 1));
    let unknown = "/api/v1/jobs/job_019aa0c8-6f30-7aa0-b5a0-0a4f4a1b2c3d";
    app.get(unknown).await.problem(404, "not_found");
    app.post(&format!("{unknown}/retry"), json!({})).await.problem(404, "not_found");
}

/// Its job would find nothing to do.
#[tokio::test]
async fn a_turn_that_has_ended_is_not_tried_again() {
    let app = App::start().await;
    let (path, job) = turn_job(&app).await;
    kill(&app, &job).await;
    let (other, kept) = turn_job(&app).await;
    kill(&app, &kept).await;
    let session = format!("/api/v1/sessions/{}", job["session_id"].as_str().unwrap());
    let said = app.get(&format!("{session}/messages")).await.json();
    let id = said["data"][0]["response_id"].as_str().unwrap().to_owned();
    Speaker::of(&app, &json!({"id": id})).await.end("failed").await;
    let refused = app.post(&format!("{path}/retry"), json!({})).await;
    refused.problem(409, "conflict");
    assert!(refused.json()["detail"].as_str().unwrap().contains(&format!("{id}/regenerate")));
    let dead = json!({"action": "retry", "filter": {"state": "dead"}});
    assert_eq!(
        app.post("/api/v1/jobs/bulk", dead.clone()).await.is(200).json()["affected"],
        1,
        "the open one"
    );
    assert_eq!(app.get(&path).await.json()["state"], "dead");
    assert_eq!(app.get(&other).await.json()["state"], "available");
    app.delete(&session).await.is(204);
    app.post(&format!("{path}/retry"), json!({})).await.problem(409, "conflict");
    assert_eq!(app.post("/api/v1/jobs/bulk", dead).await.is(200).json()["affected"], 0);
}

/// What was told of the document has ended; only its newest version is read again.
#[tokio::test]
async fn a_document_is_read_again_unless_it_is_gone_or_another_version_is_there() {
    let app = App::start().await;
    let collection = app.collection("c").await;
    let upload = json!({"text": "一", "filename": "a.md"});
    let made = app.post(&format!("{collection}/documents"), upload).await.is(202).json();
    let document = format!("/api/v1/documents/{}", made["documents"][0]["id"].as_str().unwrap());
    let first = app.get(&job_path(&made["documents"][0])).await.json();
    let path = job_path(&made["documents"][0]);
    kill(&app, &first).await;
    let again = app.post(&format!("{path}/retry"), json!({})).await.is(202).json();
    assert_eq!((&again["id"], &again["state"]), (&first["id"], &json!("available")));
    kill(&app, &first).await;

    let reindex = app.post(&format!("{document}/reindex"), json!({})).await.is(202).json();
    let refused = app.post(&format!("{path}/retry"), json!({})).await;
    refused.problem(409, "conflict");
    assert!(refused.json()["detail"].as_str().unwrap().contains(reindex["id"].as_str().unwrap()));
    kill(&app, &reindex).await;
    app.delete(&document).await.is(204);
    let path = format!("/api/v1/jobs/{}", reindex["id"].as_str().unwrap());
    app.post(&format!("{path}/retry"), json!({})).await.problem(409, "conflict");
}

fn job_path(of: &Value) -> String {
    format!("/api/v1/jobs/{}", of["job_id"].as_str().unwrap())
}

/// Its end took the texts away.
#[tokio::test]
async fn texts_that_are_gone_are_not_embedded_again() {
    let app = App::start().await;
    let job = app.post("/api/v1/embeddings", json!({"input": "一"})).await.is(202).json();
    kill(&app, &job).await;
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    let refused = app.post(&format!("{path}/retry"), json!({})).await;
    refused.problem(409, "conflict");
    assert!(refused.json()["detail"].as_str().unwrap().contains("/api/v1/embeddings"));
    let dead = json!({"action": "retry", "filter": {"state": "dead"}});
    assert_eq!(app.post("/api/v1/jobs/bulk", dead).await.is(200).json()["affected"], 0);
}

/// A parent and its only child, both given up in turn.
#[tokio::test]
async fn a_child_is_not_tried_again_when_nobody_waits_for_it() {
    let app = App::start().await;
    let tenant = "default".into();
    let parent = NewJob { pending_children: 1, ..Noop {}.job(&tenant) };
    let child = NewJob { parent: Some(parent.id), ..Noop {}.job(&tenant) };
    let (above, below) = (parent.id, child.id);
    let jobs = [parent, child].map(|job| Change::Enqueue(Box::new(job)));
    app.state.dispatcher.record(jobs.into()).await.unwrap();
    kill(&app, &json!({"id": below})).await;
    let retry = format!("/api/v1/jobs/{below}/retry");
    app.post(&retry, json!({})).await.is(202);
    kill(&app, &json!({"id": below})).await;
    kill(&app, &json!({"id": above})).await;
    let refused = app.post(&retry, json!({})).await;
    refused.problem(409, "conflict");
    assert!(refused.json()["detail"].as_str().unwrap().contains(&above.to_string()));
    app.post(&format!("/api/v1/jobs/{above}/retry"), json!({})).await.is(202);
}

#[tokio::test]
async fn many_jobs_at_once() {
    let app = App::start().await;
    let (path, first) = turn_job(&app).await;
    let (_, second) = turn_job(&app).await;
    kill(&app, &first).await;
    kill(&app, &second).await;
    let bulk = |action: &str, filter: Value| {
        app.post("/api/v1/jobs/bulk", json!({"action": action, "filter": filter}))
    };
    let retried =
        bulk("retry", json!({"state": "dead", "session": first["session_id"]})).await.is(200).json();
    assert_eq!(retried["affected"], 1);
    assert_eq!(bulk("cancel", json!({"kind": "answer_turn.v1"})).await.is(200).json()["affected"], 1);
    assert_eq!(app.get(&path).await.json()["cancel_requested"], true);
    assert_eq!(
        bulk("delete", json!({"lane": "chat"})).await.is(200).json()["affected"],
        1,
        "only what has ended"
    );
    assert_eq!(count(&app, "/api/v1/jobs".to_owned()).await, 1);
    let named =
        bulk("explode", json!({"lane": "fast", "colour": "red"})).await.problem(422, "invalid_request");
    assert_eq!(named, ["action", "filter.lane", "filter.colour"]);
    assert_eq!(bulk("cancel", json!({})).await.problem(422, "invalid_request"), ["filter.state"]);
}
