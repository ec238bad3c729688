//! Turns of one conversation, and what a provider may do to them.

use super::with_fake;
use chat_tests::{deployment::Profile, history, sse::SseReader};
use serde_json::json;

in_every_deployment!(
    turns_of_one_conversation_run_one_at_a_time_in_order,
    supersede_stops_the_turn_that_runs,
    a_provider_that_breaks_off_is_asked_again,
    a_provider_that_refuses_fails_the_turn_with_a_clear_word,
);

async fn turns_of_one_conversation_run_one_at_a_time_in_order(profile: Profile) {
    let (fake, server) = with_fake(profile, "say=yes; ttft=30").await;
    let client = server.client();
    let session = client.session(&json!({})).await;
    let mut responses = Vec::new();
    for number in 0..5 {
        let (_, turn) = client.ask(&session, &format!("question {number}")).await.unwrap();
        responses.push(turn["response"]["id"].as_str().unwrap().to_owned());
    }
    let mut ends = Vec::new();
    for response in &responses {
        ends.push(client.response_end(response).await["completed_at"].as_str().unwrap().to_owned());
    }
    assert!(ends.is_sorted(), "{ends:?}");
    let streams = fake.journal().streams();
    let overlaps = streams.windows(2).any(|pair| pair[0].closed.is_none_or(|closed| closed > pair[1].opened));
    assert!(!overlaps, "two turns of one conversation ran at a time");
    let (status, problem) = client
        .post(&format!("/sessions/{session}/messages"), &json!({"content": "x", "on_busy": "reject"}))
        .await
        .unwrap();
    assert_eq!(status, 202, "nothing runs any more: {problem}");
}

async fn supersede_stops_the_turn_that_runs(profile: Profile) {
    let (_fake, server) = with_fake(profile, "endless; tps=50").await;
    let client = server.client();
    let session = client.session(&json!({})).await;
    let (_, first) = client.ask(&session, "first").await.unwrap();
    let busy = json!({"content": "no", "on_busy": "reject"});
    let (status, _) = client.post(&format!("/sessions/{session}/messages"), &busy).await.unwrap();
    assert_eq!(status, 409);
    let second = json!({"content": "second [[fake:say=done]]", "on_busy": "supersede"});
    let (status, second) = client.post(&format!("/sessions/{session}/messages"), &second).await.unwrap();
    assert_eq!(status, 202, "{second}");
    assert_eq!(client.response_end(first["response"]["id"].as_str().unwrap()).await["status"], "cancelled");
    client
        .post(&format!("/responses/{}/cancel", second["response"]["id"].as_str().unwrap()), &json!({}))
        .await
        .unwrap();
}

async fn a_provider_that_breaks_off_is_asked_again(profile: Profile) {
    let (fake, server) = with_fake(profile, "say=one two three four five six; cut=3").await;
    let client = server.client();
    let session = client.session(&json!({})).await;
    let (_, turn) = client.ask(&session, "tell me").await.unwrap();
    let response = turn["response"]["id"].as_str().unwrap();
    fake.until(std::time::Duration::from_secs(20), |journal| {
        journal.streams().iter().any(|stream| stream.closed.is_some())
    })
    .await;
    fake.directives("say=whole");
    let events = SseReader::new(client.events(response, 0).await.unwrap()).rest().await.unwrap();
    history::check_stream(response, &events);
    assert!(events.iter().any(|event| event.name == "response.restarted"), "{events:?}");
    assert_eq!(history::text(&events), "whole");
    let end = client.response_end(response).await;
    assert_eq!((end["status"].as_str(), end["attempt"].as_u64()), (Some("completed"), Some(2)), "{end}");
}

async fn a_provider_that_refuses_fails_the_turn_with_a_clear_word(profile: Profile) {
    let (_fake, server) = with_fake(profile, "status=401").await;
    let client = server.client();
    let session = client.session(&json!({})).await;
    let (_, turn) = client.ask(&session, "hello").await.unwrap();
    let end = client.response_end(turn["response"]["id"].as_str().unwrap()).await;
    assert_eq!(
        (end["status"].as_str(), end["error"]["code"].as_str()),
        (Some("failed"), Some("provider_unauthorized")),
        "{end}"
    );
    let events = SseReader::new(client.events(turn["response"]["id"].as_str().unwrap(), 0).await.unwrap())
        .rest()
        .await;
    assert_eq!(events.unwrap().last().unwrap().name, "response.failed");
}
