//! Keys and tokens: who has none is refused, who has one is known, a revoked one is no key.

use chat_tests::{
    chat::ChatClient,
    deployment::{Deployment, Profile},
    fake_openai::FakeOpenAi,
    process,
    socket::Socket,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

in_every_deployment!(
    nobody_is_let_in_without_a_key,
    a_revoked_key_opens_nothing_within_a_second,
    scopes_are_kept_apart,
);

pub const SECRET_KEY: &str = "a secret key that only these tests and nobody else knows";

/// A deployment that wants keys.
pub async fn guarded(profile: Profile, directives: &str) -> (FakeOpenAi, Deployment) {
    let fake = FakeOpenAi::start().await;
    fake.directives(directives);
    let settings = [
        ("OPENAI_BASE_URL", fake.url()),
        ("EMBEDDING_MODEL", "offline".into()),
        ("SECRET_KEY", SECRET_KEY.into()),
    ];
    let server = Deployment::start(profile, &settings).await;
    (fake, server)
}

/// A key as the operator makes it; its id and secret.
pub async fn key(server: &Deployment, scopes: &str, tenant: &str) -> (String, String) {
    let made = process::ask(
        &["keys", "create", "a test", "--scopes", scopes, "--tenant", tenant],
        server.folder(),
        server.settings(),
    )
    .await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

async fn status(client: &ChatClient, path: &str) -> u16 {
    client.http.get(client.at(path)).send().await.unwrap().status().as_u16()
}

async fn nobody_is_let_in_without_a_key(profile: Profile) {
    let (_fake, server) = guarded(profile, "say=x").await;
    let stranger = server.client();
    let document: Value = stranger
        .http
        .get(format!("{}/openapi.json", stranger.url()))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/api/v1") || path.ends_with("/ws") {
            continue;
        }
        let path = path.replace("{id}", "x").replace("{name}", "x");
        for method in methods.as_object().unwrap().keys().filter(|name| *name != "parameters") {
            let method = method.to_uppercase().parse().unwrap();
            let answer =
                stranger.http.request(method, format!("{}{path}", stranger.url())).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{path}");
            asked += 1;
        }
    }
    assert!(asked > 30, "only {asked} endpoints were asked");
    for token in ["wrong", "ragc_0192f0c1aaaa7bbb8ccc0123456789ab_wrong", "a.b.c"] {
        assert_eq!(status(&server.client().with_key(token), "/sessions").await, 401, "{token}");
    }
    let (_, secret) = key(&server, "user", "someone").await;
    for interface in server.processes.iter().filter_map(|process| process.url.as_deref()) {
        assert_eq!(status(&ChatClient::of(interface).with_key(&secret), "/sessions").await, 200);
        let bearer = format!("Bearer {secret}");
        let mut socket = Socket::connect(interface, &[("authorization", &bearer)]).await.unwrap();
        assert_eq!(socket.ask(json!({"type": "ping"})).await["type"], "ok");
        let mut socket = Socket::connect(interface, &[]).await.unwrap();
        assert_eq!(socket.ask(json!({"type": "auth", "token": secret})).await["type"], "ok");
        assert_eq!(socket.ask(json!({"type": "ping"})).await["type"], "ok");
        let mut stranger = Socket::connect(interface, &[]).await.unwrap();
        assert_eq!(stranger.ask(json!({"type": "ping"})).await["type"], "error");
        assert!(stranger.hear().await.is_err(), "a stranger stays connected");
        assert!(Socket::connect(interface, &[("authorization", "Bearer wrong")]).await.is_err());
    }
}

async fn a_revoked_key_opens_nothing_within_a_second(profile: Profile) {
    let (_fake, server) = guarded(profile, "endless; tps=20").await;
    let (id, secret) = key(&server, "user", "someone").await;
    let (_, admin) = key(&server, "admin", "house").await;
    let client = server.client().with_key(&secret);
    let session = client.session(&json!({})).await;
    let (_, turn) = client.ask(&session, "go").await.unwrap();
    let response = turn["response"]["id"].as_str().unwrap().to_owned();
    let mut stream = client.events(&response, 0).await.unwrap();
    let bearer = format!("Bearer {secret}");
    let interface = server.client().url();
    let mut socket = Socket::connect(&interface, &[("authorization", &bearer)]).await.unwrap();
    socket.ask(json!({"type": "subscribe", "response_id": response})).await;

    let admin = server.client().with_key(&admin);
    let answer = admin.http.delete(admin.at(&format!("/keys/{id}"))).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let revoked = Instant::now();
    let interfaces: Vec<_> = server.processes.iter().filter_map(|process| process.url.clone()).collect();
    for interface in interfaces.iter().cycle().take(4) {
        while status(&ChatClient::of(interface).with_key(&secret), "/sessions").await != 401 {
            assert!(revoked.elapsed() < Duration::from_secs(1), "still a key after a second");
        }
    }
    let ended = tokio::time::timeout(Duration::from_secs(2), async {
        while stream.chunk().await.is_ok_and(|piece| piece.is_some()) {}
        while socket.hear().await.is_ok() {}
    });
    ended.await.expect("streams of a revoked key go on");
    println!("refused, and streams closed, {:?} after it was revoked", revoked.elapsed());
}

async fn scopes_are_kept_apart(profile: Profile) {
    let (_fake, server) = guarded(profile, "say=x").await;
    for (scopes, may) in
        [("user", [403, 403, 403]), ("operator", [200, 200, 403]), ("admin", [200, 200, 200])]
    {
        let (_, secret) = key(&server, scopes, "house").await;
        let client = server.client().with_key(&secret);
        for (path, wanted) in ["/lanes", "/schedules", "/keys"].into_iter().zip(may) {
            assert_eq!(status(&client, path).await, wanted, "{scopes} {path}");
        }
        assert_eq!(status(&client, "/sessions").await, 200);
    }
    let keys = process::ask(&["keys", "list"], server.folder(), server.settings()).await;
    assert_eq!(keys.as_array().unwrap().len(), 3);
    assert!(keys.as_array().unwrap().iter().all(|key| key.get("secret").is_none()));
}
