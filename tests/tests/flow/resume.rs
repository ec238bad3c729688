//! A stream is the same however it is read.

use super::with_fake;
use chat_tests::{deployment::Profile, history, socket::Socket, sse::SseReader};
use serde_json::json;

in_every_deployment!(cut_at_every_event_it_is_the_same_as_uncut, a_graceful_stop_hands_a_long_turn_back,);

async fn cut_at_every_event_it_is_the_same_as_uncut(profile: Profile) {
    let (_fake, mut server) = with_fake(profile, "say=一 二 三 四 五 six seven eight [1]; tps=200").await;
    let client = server.client();
    let session = client.session(&json!({})).await;
    let (_, turn) = client.ask(&session, "数到八").await.unwrap();
    let response = turn["response"]["id"].as_str().unwrap();

    // Two readers follow it live; a third is cut after each event and comes back.
    let (one, two) = tokio::join!(client.events(response, 0), client.events(response, 0));
    let cut = async {
        let mut events = Vec::new();
        loop {
            let after = events.last().map_or(0, |event: &chat_tests::sse::SseEvent| event.id);
            let mut reader = SseReader::new(client.events(response, after).await.unwrap());
            match reader.next().await {
                Some(event) => events.push(event.unwrap()),
                None => return events,
            }
        }
    };
    let (one, two, cut) =
        tokio::join!(SseReader::new(one.unwrap()).rest(), SseReader::new(two.unwrap()).rest(), cut);
    let whole = one.unwrap();
    history::check_stream(response, &whole);
    assert_eq!(whole, two.unwrap(), "two readers saw different streams");
    assert_eq!(whole, cut, "a stream that was cut and resumed is another");
    assert!(whole.len() > 8, "only {} events", whole.len());
    assert_eq!(history::text(&whole), "一 二 三 四 五 six seven eight [1]");

    // Finished, it replays from any number, and after a restart too.
    for after in 0..=whole.len() {
        let rest = SseReader::new(client.events(response, after as u64).await.unwrap()).rest().await.unwrap();
        assert_eq!(rest, whole[after..]);
    }
    let past = SseReader::new(client.events(response, 1_000).await.unwrap()).rest().await.unwrap();
    assert_eq!(past, whole[whole.len() - 1..], "only the end");
    let mut socket = Socket::connect(&client.url(), &[]).await.unwrap();
    let subscribe = json!({"type": "subscribe", "response_id": response, "starting_after": 1_000});
    assert_eq!(socket.ask(subscribe).await["type"], "ok");
    assert_eq!(socket.event().await.as_ref(), whole.last().map(|event| &event.data));
    server.stop().await;
    server.start_again().await;
    let again = SseReader::new(client.events(response, 0).await.unwrap()).rest().await.unwrap();
    assert_eq!(whole, again, "a finished stream replays after a restart");
}

async fn a_graceful_stop_hands_a_long_turn_back(profile: Profile) {
    let (fake, mut server) =
        with_fake(profile, "say=one two three four five six seven eight nine ten; tps=2").await;
    let client = server.client();
    let session = client.session(&json!({})).await;
    let (_, turn) = client.ask(&session, "slowly, please").await.unwrap();
    let response = turn["response"]["id"].as_str().unwrap().to_owned();
    let mut reader = SseReader::new(client.events(&response, 0).await.unwrap());
    let mut last = 0;
    while let Some(Ok(event)) = reader.next().await {
        last = event.id;
        if event.name == "response.output_text.delta" {
            break;
        }
    }
    // The end of an operator's patience.
    server.interrupt();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    server.kill();
    fake.directives("say=short; tps=1000");
    server.start_again().await;
    let rest = SseReader::new(client.events(&response, last).await.unwrap()).rest().await.unwrap();
    assert!(rest.iter().any(|event| event.name == "response.restarted"), "{rest:?}");
    assert_eq!(history::text(&rest), "short");
    assert_eq!(client.response_end(&response).await["status"], "completed");
}
