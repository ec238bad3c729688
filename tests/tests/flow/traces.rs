//! One request is followed through all processes: W3C Trace Context.

use super::with_fake;
use chat_tests::{chat::eventually, deployment::Profile};
use serde_json::{Value, json};
use std::{fs, path::Path};

in_every_deployment!(a_request_is_followed_through_its_jobs_their_logs_and_the_model_server);

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A line that some process has logged.
fn logged(folder: &Path, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    let lines = logs.flat_map(|log| {
        let text = fs::read_to_string(log).unwrap();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>()
    });
    lines.into_iter().find(is_it)
}

async fn a_request_is_followed_through_its_jobs_their_logs_and_the_model_server(profile: Profile) {
    let (fake, server) = with_fake(profile, "status=400").await;
    let client = server.client();
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let session = client.session(&json!({})).await;
    let ask = client.http.post(client.at(&format!("/sessions/{session}/messages")));
    let ask = ask.header("traceparent", &parent).json(&json!({"content": "密封圈多久检查？"}));
    let turn: Value = ask.send().await.unwrap().json().await.unwrap();
    let end = client.response_end(turn["response"]["id"].as_str().unwrap()).await;
    assert_eq!(end["status"], "failed", "{end}");
    let id = turn["response"]["job_id"].as_str().unwrap();
    assert_eq!(client.get(&format!("/jobs/{id}")).await.unwrap().1["trace_id"], TRACE);
    let calls = fake.journal().calls();
    let told = calls.last().unwrap().headers["traceparent"].to_str().unwrap();
    assert!(told.starts_with(&format!("00-{TRACE}-")) && told.ends_with("-01"), "{told}");
    assert_ne!(told, parent, "the attempt is a span of its own");
    let line = eventually("the failure is logged", async || {
        logged(server.folder(), |line| line["job.id"] == id && line["message"] == "a job failed for good")
    })
    .await;
    assert_eq!(line["trace_id"], TRACE, "{line}");

    let collection = client.collection("手册").await;
    let upload = client.http.post(client.at(&format!("/collections/{collection}/documents")));
    let upload = upload.header("traceparent", &parent);
    let file = json!({"text": "# 水泵\n\n离心泵每周检查一次密封圈。\n", "filename": "水泵.md"});
    let uploaded: Value = upload.json(&file).send().await.unwrap().json().await.unwrap();
    let document = uploaded["documents"][0]["id"].as_str().unwrap();
    assert_eq!(client.document_end(document).await["status"], "ready");
    let (_, jobs) = client.get(&format!("/jobs?document={document}")).await.unwrap();
    let jobs = jobs["data"].as_array().unwrap();
    assert!(jobs.len() >= 3 && jobs.iter().all(|job| job["trace_id"] == TRACE), "{jobs:?}");

    let (_, turn) = client.ask(&session, "还有呢？").await.unwrap();
    client.response_end(turn["response"]["id"].as_str().unwrap()).await;
    let path = format!("/jobs/{}", turn["response"]["job_id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.unwrap().1["trace_id"], Value::Null, "none is made up");
    assert!(!fake.journal().calls().last().unwrap().headers.contains_key("traceparent"));
}
