//! A cancel reaches the provider's connection at once, and what was said is kept.

use super::with_fake;
use chat_tests::{chat::eventually, deployment::Profile, sse::SseReader};
use serde_json::json;
use std::time::{Duration, Instant};

in_every_deployment!(write =>
    the_provider_sees_its_connection_closed,
    a_turn_that_waits_is_cancelled_too_and_an_ended_one_is_not,
);

const CANCELS: usize = 50;
/// How soon nine of ten connections are closed: a cancel is told, not looked for. The slowest of so few is the disk's
/// or the compiler's choice; it is printed, and its bound is wide.
const GOAL: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

async fn the_provider_sees_its_connection_closed(profile: Profile) {
    let (fake, server) = with_fake(profile, "endless; tps=50").await;
    let client = server.client();
    let mut took = Vec::new();
    for number in 0..CANCELS {
        let session = client.session(&json!({})).await;
        let (_, turn) = client.ask(&session, &format!("go on for ever, {number}")).await.unwrap();
        let response = turn["response"]["id"].as_str().unwrap();
        let mut reader = SseReader::new(client.events(response, 0).await.unwrap());
        let mut said = String::new();
        while let Some(Ok(event)) = reader.next().await {
            if event.name == "response.output_text.delta" {
                said.push_str(event.data["delta"].as_str().unwrap());
                break;
            }
        }
        let asked = Instant::now();
        let (status, _) = client.post(&format!("/responses/{response}/cancel"), &json!({})).await.unwrap();
        assert_eq!(status, 202);
        let closed = eventually("the provider's connection closes", async || {
            fake.journal().streams().last().and_then(chat_tests::fake_openai::StreamRecord::left)
        })
        .await;
        took.push(closed.saturating_duration_since(asked));
        let end = client.response_end(response).await;
        assert_eq!(end["status"], "cancelled", "{end}");
        let kept = end["output_text"].as_str().unwrap();
        assert!(kept.starts_with(&said), "what was said is lost: {said:?} of {kept:?}");
        let rest = reader.rest().await.unwrap();
        assert_eq!(rest.last().unwrap().name, "response.cancelled");
    }
    took.sort_unstable();
    println!("cancel -> connection closed: p50 {:?}, p99 {:?}", took[CANCELS / 2], took[CANCELS * 99 / 100]);
    assert!(took[CANCELS * 9 / 10] < GOAL && took[CANCELS - 1] < LONGEST, "{took:?}");
}

async fn a_turn_that_waits_is_cancelled_too_and_an_ended_one_is_not(profile: Profile) {
    let (_fake, server) = with_fake(profile, "say=one two three; tps=5").await;
    let client = server.client();
    let session = client.session(&json!({})).await;
    let (_, first) = client.ask(&session, "first").await.unwrap();
    let (_, second) = client.ask(&session, "second").await.unwrap();
    let (first, second) =
        (first["response"]["id"].as_str().unwrap(), second["response"]["id"].as_str().unwrap());
    client.post(&format!("/responses/{second}/cancel"), &json!({})).await.unwrap();
    assert_eq!(client.response_end(second).await["status"], "cancelled");
    let events = SseReader::new(client.events(second, 0).await.unwrap()).rest().await.unwrap();
    chat_tests::history::check_stream(second, &events);
    assert_eq!(client.response_end(first).await["status"], "completed");
    let (status, problem) = client.post(&format!("/responses/{first}/cancel"), &json!({})).await.unwrap();
    assert_eq!((status.as_u16(), problem["code"].as_str()), (409, Some("conflict")), "{problem}");
}
