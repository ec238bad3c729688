//! Lanes, schedules and workers.

use crate::app::App;
use chat_core::{Lane, WorkerId};
use serde_json::{Value, json};

#[tokio::test]
async fn lanes_say_what_waits_in_them() {
    let app = App::start().await;
    let session = app.session().await;
    app.post(&format!("{session}/messages"), json!({"content": "x"})).await.is(202);
    let lanes = app.get("/api/v1/lanes").await.is(200).json();
    let lanes = lanes["data"].as_array().unwrap();
    assert_eq!(lanes.len(), 5);
    let chat = lanes.iter().find(|lane| lane["name"] == "chat").unwrap();
    assert_eq!((&chat["depth"], &chat["running"]), (&json!(1), &json!(0)), "{chat}");
}

#[tokio::test]
async fn a_schedule_is_run_by_hand() {
    let app = App::start().await;
    let schedules = app.get("/api/v1/schedules").await.is(200).json();
    let name = schedules["data"][0]["name"].as_str().unwrap();
    let job = app.post(&format!("/api/v1/schedules/{name}/run"), json!({})).await.is(202).json();
    let kept = app.get(&format!("/api/v1/jobs/{}", job["id"].as_str().unwrap())).await.is(200).json();
    assert_eq!(kept["lane"], "maintenance");
    app.post("/api/v1/schedules/nothing/run", json!({})).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_paused_lane_says_so_until_it_is_resumed() {
    let app = App::start().await;
    let session = app.session().await;
    let turn =
        app.post(&format!("{session}/messages"), json!({"content": "暂停以后再回答"})).await.is(202).json();
    let job = format!("/api/v1/jobs/{}", turn["response"]["job_id"].as_str().unwrap());
    assert_eq!(app.get(&job).await.json()["waiting_for"], "worker");
    let paused = app.post("/api/v1/lanes/chat/pause", json!({})).await.is(200).json();
    assert_eq!(
        (&paused["name"], &paused["paused"], &paused["depth"]),
        (&json!("chat"), &json!(true), &json!(1))
    );
    let again = app.post("/api/v1/lanes/chat/pause", json!({})).await.is(200).json();
    assert_eq!(again["paused"], true);
    let lanes = app.get("/api/v1/lanes").await.is(200).json();
    let lanes = lanes["data"].as_array().unwrap();
    let named = |paused: bool| lanes.iter().filter(move |lane| lane["paused"] == paused).count();
    assert_eq!((named(true), named(false)), (1, 4), "{lanes:?}");
    assert!(lanes.iter().all(|lane| lane["rate"] == 0.0 && lane["paused"] == lane["paused_at"].is_string()));
    assert_eq!(app.get(&job).await.json()["waiting_for"], "resume");
    app.post(&format!("{session}/messages"), json!({"content": "还能提问"})).await.is(202);
    let resumed = app.post("/api/v1/lanes/chat/resume", json!({})).await.is(200).json();
    assert_eq!((&resumed["paused"], &resumed["paused_at"]), (&json!(false), &json!(null)));
    assert_eq!(app.get(&job).await.json()["waiting_for"], "worker");
    app.post("/api/v1/lanes/chat/resume", json!({})).await.is(200);
    app.post("/api/v1/lanes/fast/pause", json!({})).await.problem(404, "not_found");
    app.post("/api/v1/lanes/fast/resume", json!({})).await.problem(404, "not_found");
    app.post("/api/v1/lanes/chat/pause", json!({"for": "ever"})).await.problem(422, "invalid_request");
}

#[tokio::test]
async fn workers_are_listed_while_they_live() {
    let app = App::start().await;
    assert_eq!(app.get("/api/v1/workers").await.is(200).json()["data"], json!([]));
    let store = &app.state.ports.store;
    let worker = WorkerId::new();
    store.heartbeat(worker, &[(Lane::Chat, 8), (Lane::Ingest, 2)]).await.unwrap();
    let listed = app.get("/api/v1/workers").await.is(200).json();
    let shown = &listed["data"][0];
    assert_eq!((&shown["id"], &shown["object"]), (&json!(worker), &json!("worker")));
    assert_eq!(shown["lanes"], json!([{"name": "chat", "slots": 8}, {"name": "ingest", "slots": 2}]));
    assert_eq!((&shown["running"], &shown["version"]), (&json!(0), &json!(env!("CARGO_PKG_VERSION"))));
    assert!(shown["started_at"].is_string() && shown["last_seen"].is_string(), "{shown}");
    store.retire(worker).await.unwrap();
    assert_eq!(app.get("/api/v1/workers").await.is(200).json()["data"], json!([]));
}

#[tokio::test]
async fn short_lists_have_pages_too() {
    let app = App::start().await;
    for noun in ["lanes", "schedules"] {
        let path = format!("/api/v1/{noun}");
        let names = |page: &Value| -> Vec<String> {
            let rows = page["data"].as_array().unwrap().iter();
            rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
        };
        let all = names(&app.get(&format!("{path}?limit=100")).await.is(200).json());
        assert!(all.len() > 2 && all.is_sorted(), "{all:?}");
        let first = app.get(&format!("{path}?limit=2")).await.is(200).json();
        assert_eq!((names(&first), &first["has_more"]), (all[..2].to_vec(), &json!(true)));
        assert_eq!((&first["first_id"], &first["last_id"]), (&json!(all[0]), &json!(all[1])));
        let rest = app.get(&format!("{path}?limit=100&after={}", all[1])).await.json();
        assert_eq!((names(&rest), &rest["has_more"]), (all[2..].to_vec(), &json!(false)));
        let last = app.get(&format!("{path}?limit=1&order=desc")).await.json();
        assert_eq!(names(&last), all[all.len() - 1..]);
        let bad = app.get(&format!("{path}?limit=0&order=up")).await;
        assert_eq!(bad.problem(422, "invalid_request"), ["limit", "order"]);
    }
}
