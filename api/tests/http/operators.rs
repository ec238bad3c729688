//! Lanes and schedules.

use crate::app::App;
use serde_json::json;

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
