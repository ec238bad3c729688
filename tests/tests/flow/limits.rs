//! Rate limits and quotas hold over all processes, each tenant's apart; usage is what turns have taken.

use super::keys::{SECRET_KEY, key};
use chat_tests::{
    chat::ChatClient,
    deployment::{Deployment, Profile},
    fake_openai::FakeOpenAi,
    process,
    socket::Socket,
};
use serde_json::{Value, json};

in_every_deployment!(
    a_key_makes_as_many_requests_as_it_may,
    tokens_that_turns_took_are_shown_and_end_the_quota,
);

async fn limited(profile: Profile, limits: &[(&'static str, u64)]) -> (FakeOpenAi, Deployment) {
    let fake = FakeOpenAi::start().await;
    fake.directives("say=one two three");
    let mut settings = vec![
        ("OPENAI_BASE_URL", fake.url()),
        ("EMBEDDING_MODEL", "offline".into()),
        ("SECRET_KEY", SECRET_KEY.into()),
        ("LLM_INPUT_PRICE", "1000".into()),
        ("LLM_OUTPUT_PRICE", "1000".into()),
    ];
    settings.extend(limits.iter().map(|(name, most)| (*name, most.to_string())));
    let server = Deployment::start(profile, &settings).await;
    (fake, server)
}

/// A socket of the last interface.
async fn socket(server: &Deployment, secret: &str) -> Socket {
    let url = server.processes.iter().rev().find_map(|process| process.url.clone()).unwrap();
    Socket::connect(&url, &[("authorization", &format!("Bearer {secret}"))]).await.unwrap()
}

async fn refusals(server: &Deployment) -> f64 {
    let mut sum = 0.0;
    for process in &server.processes {
        sum += process.metric("requests_refused_total").await.unwrap_or(0.0);
    }
    sum
}

async fn a_key_makes_as_many_requests_as_it_may(profile: Profile) {
    let (_fake, server) = limited(profile, &[("RATE_LIMIT_KEY_REQUESTS", 20)]).await;
    let (_, secret) = key(&server, "user", "house").await;
    let (_, other) = key(&server, "user", "another house").await;
    let client = server.client().with_key(&secret);
    let session = client.session(&json!({})).await;
    let mut connected = socket(&server, &secret).await;
    let mut admitted = 2;
    let refused = loop {
        let answer = client.http.get(client.at("/sessions")).send().await.unwrap();
        if answer.status() == 429 {
            break answer;
        }
        assert_eq!(answer.status(), 200);
        admitted += 1;
        assert!(admitted < 100, "nothing is ever refused");
    };
    // One more may pass when a minute begins meanwhile.
    assert!((20..=22).contains(&admitted), "{admitted} requests of 20 were admitted");
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=120).contains(&wait), "{wait}");
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "rate_limited");
    let asked = json!({"type": "message.create", "session_id": session, "content": "太多了"});
    let answer = connected.ask(asked).await;
    assert_eq!((&answer["type"], &answer["error"]["code"]), (&json!("error"), &json!("rate_limited")));
    assert!(answer["error"]["retry_after"].is_u64(), "{answer}");
    assert_eq!(connected.ask(json!({"type": "ping"})).await["type"], "ok", "the socket stays");
    assert!(refusals(&server).await >= 2.0);

    let neighbour = server.client().with_key(&other);
    let answer = neighbour.http.get(neighbour.at("/sessions")).send().await.unwrap();
    assert_eq!(answer.headers()["ratelimit-remaining"], "19", "a tenant is not counted with another");
}

/// A turn's response when it has ended.
async fn turn(client: &ChatClient, session: &str) -> Value {
    let (status, turn) = client.ask(session, "多少个词？").await.unwrap();
    assert_eq!(status, 202, "{turn}");
    client.response_end(turn["response"]["id"].as_str().unwrap()).await
}

async fn tokens_that_turns_took_are_shown_and_end_the_quota(profile: Profile) {
    let (_fake, server) = limited(profile, &[("RATE_LIMIT_TENANT_TOKENS", 30)]).await;
    let (_, secret) = key(&server, "user", "房东").await;
    let (_, other) = key(&server, "user", "房客").await;
    let client = server.client().with_key(&secret);
    let session = client.session(&json!({})).await;
    let first = turn(&client, &session).await;
    let tokens = first["usage"]["total_tokens"].as_u64().unwrap();
    assert!(tokens >= 30, "the turn is too small for this test: {first}");

    let (status, refused) = client.ask(&session, "再来一次").await.unwrap();
    assert_eq!((status.as_u16(), &refused["code"]), (429, &json!("quota_exceeded")), "{refused}");
    let mut connected = socket(&server, &secret).await;
    let asked = json!({"type": "message.create", "session_id": session, "content": "再来一次"});
    assert_eq!(connected.ask(asked).await["error"]["code"], "quota_exceeded");
    let neighbour = server.client().with_key(&other);
    let theirs = neighbour.session(&json!({})).await;
    turn(&neighbour, &theirs).await;

    assert_eq!(client.delete(&format!("/sessions/{session}")).await.unwrap(), 204);
    let (status, usage) = client.get("/usage?group_by=session").await.unwrap();
    assert_eq!(status, 200, "{usage}");
    let sums = usage["data"].as_array().unwrap();
    assert_eq!(sums.len(), 1, "{usage}");
    assert_eq!((&sums[0]["session_id"], &sums[0]["total_tokens"]), (&json!(session), &json!(tokens)));
    let cost = sums[0]["cost_usd"].as_f64().unwrap();
    assert!((cost - tokens as f64 / 1e3).abs() < 1e-9, "{usage}");
    // The operator's own tenant has used nothing.
    let shown = process::ask(&["usage", "--by", "model"], server.folder(), server.settings()).await;
    assert_eq!(shown, json!([]));
}
