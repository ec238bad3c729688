//! The WebSocket: the same events as over SSE, many responses at a time.

use super::with_fake;
use chat_tests::{deployment::Profile, socket::Socket, sse::SseReader};
use serde_json::{Value, json};
use std::time::Duration;

in_every_deployment!(
    a_turn_is_asked_and_read_over_one_socket,
    events_are_those_of_sse_from_any_number,
    a_turn_is_cancelled_over_the_socket,
    what_is_wrong_is_answered,
);

/// Two interfaces, if there are two.
fn urls(server: &chat_tests::deployment::Deployment) -> [String; 2] {
    let all: Vec<_> = server.processes.iter().filter_map(|process| process.url.clone()).collect();
    [all[0].clone(), all[all.len() - 1].clone()]
}

async fn to_the_end(socket: &mut Socket) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let event = socket.event().await.expect("the socket ends before the stream");
        let kind = event["type"].as_str().unwrap().to_owned();
        events.push(event);
        if ["response.completed", "response.failed", "response.cancelled"].contains(&&*kind) {
            return events;
        }
    }
}

async fn a_turn_is_asked_and_read_over_one_socket(profile: Profile) {
    let (_fake, server) = with_fake(profile, "say=one two three; ttft=20; tps=50").await;
    let session = server.client().session(&json!({})).await;
    let mut socket = Socket::connect(&urls(&server)[0], &[]).await.unwrap();
    assert_eq!(socket.ask(json!({"type": "ping"})).await["type"], "ok");
    let asked =
        json!({"type": "message.create", "session_id": session, "content": "tell me", "stream": true});
    let answer = socket.ask(asked).await;
    assert_eq!(answer["type"], "ok", "{answer}");
    assert_eq!(answer["message"]["content"], "tell me");
    let events = to_the_end(&mut socket).await;
    let text: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(text, "one two three");
    assert!(events.iter().all(|event| event["response_id"] == answer["response"]["id"]));
}

async fn events_are_those_of_sse_from_any_number(profile: Profile) {
    let (_fake, server) = with_fake(profile, "say=a b c d e f g h; ttft=20; tps=40").await;
    let client = server.client();
    let session = client.session(&json!({})).await;
    let [one, other] = urls(&server);
    let (_, turn) = chat_tests::chat::ChatClient::of(&one).ask(&session, "go").await.unwrap();
    let response = turn["response"]["id"].as_str().unwrap();
    // While it runs, on the other interface.
    let mut live = Socket::connect(&other, &[]).await.unwrap();
    assert_eq!(live.ask(json!({"type": "subscribe", "response_id": response})).await["type"], "ok");
    let seen = to_the_end(&mut live).await;
    let sse = SseReader::new(client.events(response, 0).await.unwrap()).rest().await.unwrap();
    assert_eq!(seen, sse.iter().map(|event| event.data.clone()).collect::<Vec<_>>());
    // Afterwards, from a number on.
    let late = json!({"type": "subscribe", "response_id": response, "starting_after": 5});
    let mut socket = Socket::connect(&one, &[]).await.unwrap();
    assert_eq!(socket.ask(late).await["type"], "ok");
    assert_eq!(to_the_end(&mut socket).await, seen[5..]);
}

async fn a_turn_is_cancelled_over_the_socket(profile: Profile) {
    let (_fake, server) = with_fake(profile, "endless; tps=50").await;
    let session = server.client().session(&json!({})).await;
    let mut socket = Socket::connect(&urls(&server)[1], &[]).await.unwrap();
    let asked = json!({"type": "message.create", "session_id": session, "content": "go", "stream": true});
    let response = socket.ask(asked).await["response"]["id"].clone();
    while socket.event().await.unwrap()["type"] != "response.output_text.delta" {}
    let cancelled = socket.ask(json!({"type": "response.cancel", "response_id": response})).await;
    assert_eq!(cancelled["type"], "ok", "{cancelled}");
    assert_eq!(to_the_end(&mut socket).await.last().unwrap()["type"], "response.cancelled");
}

async fn what_is_wrong_is_answered(profile: Profile) {
    let (_fake, server) = with_fake(profile, "say=x").await;
    let mut socket = Socket::connect(&urls(&server)[0], &[]).await.unwrap();
    for (frame, status, field) in [
        (json!({"type": "sing"}), 422, "type"),
        (json!({"type": "subscribe"}), 422, "response_id"),
        (json!({"type": "subscribe", "response_id": "resp_x"}), 422, "response_id"),
        (json!({"type": "ping", "loud": true}), 422, "loud"),
        (json!({"type": "message.create", "content": "x"}), 422, "session_id"),
    ] {
        let answer = socket.ask(frame.clone()).await;
        assert_eq!(
            (&answer["type"], &answer["error"]["status"]),
            (&json!("error"), &json!(status)),
            "{frame}"
        );
        assert_eq!(answer["error"]["errors"][0]["field"], field, "{answer}");
    }
    let nobody = format!("resp_{}", "0192f0c1-aaaa-7bbb-8ccc-0123456789ab");
    let missing = socket.ask(json!({"type": "subscribe", "response_id": nobody})).await;
    assert_eq!(missing["error"]["code"], "not_found", "{missing}");
    socket.send("no json").await;
    assert_eq!(socket.hear().await.unwrap()["type"], "error");
    assert_eq!(socket.ask(json!({"type": "ping"})).await["type"], "ok", "the connection goes on");
    let evil = Socket::connect(&urls(&server)[0], &[("origin", "https://evil.example")]).await;
    assert!(evil.is_err(), "a page of another site is connected");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_is_closed() {
    let _machine = crate::MACHINE.read().await;
    // Slow enough for hundreds of events: some hundred readings of them fill the megabytes that a system buffers.
    let (_fake, server) = with_fake(Profile::Embedded, "tokens=900; tps=450").await;
    let client = server.client();
    let session = client.session(&json!({})).await;
    let (_, turn) = client.ask(&session, "go").await.unwrap();
    let response = turn["response"]["id"].as_str().unwrap();
    assert_eq!(client.response_end(response).await["status"], "completed");
    let mut socket = Socket::connect_narrow(&urls(&server)[0]).await;
    // The same stream again and again, and nothing is read.
    let subscribe = json!({"type": "subscribe", "response_id": response, "starting_after": 0}).to_string();
    let closed = async || server.processes[0].metric_of("websocket_closed_total", "code=\"1013\"").await;
    let mut asked = 0;
    while closed().await.is_none() {
        assert!(asked < 3_000, "it is never closed");
        socket.send(&subscribe).await;
        asked += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Who reads then is told why.
    let end = loop {
        if let Err(end) = socket.hear().await {
            break end;
        }
    };
    assert_eq!(end.map(|end| u16::from(end.code)), Some(1013));
}
