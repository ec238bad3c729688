//! Two tenants with the same documents and questions: neither finds anything of the other, whatever it asks for.

use super::keys::{guarded, key};
use chat_tests::{
    chat::ChatClient,
    deployment::{Deployment, Profile},
    socket::Socket,
};
use reqwest::Method;
use serde_json::{Value, json};

in_every_deployment!(nothing_of_another_tenant_is_found);

/// What a tenant has: every id that it was ever told.
struct Tenant {
    client: ChatClient,
    secret: String,
    ids: Vec<String>,
    session: String,
    collection: String,
}

async fn settle(server: &Deployment, name: &str) -> Tenant {
    let (_, secret) = key(server, "user", name).await;
    let client = server.client().with_key(&secret);
    let collection = client.collection("manuals").await;
    let upload =
        json!({"text": "# Pump\n\nThe secret valve is checked weekly. 秘密阀门。", "filename": "pump.md"});
    let (status, uploaded) =
        client.post(&format!("/collections/{collection}/documents"), &upload).await.unwrap();
    assert_eq!(status, 202, "{uploaded}");
    let document = uploaded["documents"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(client.document_end(&document).await["status"], "ready");
    let session = client.session(&json!({"title": "same"})).await;
    let body = json!({"content": "Which valve is secret?"});
    let request = client.http.post(client.at(&format!("/sessions/{session}/messages")));
    let turn: Value = request
        .header("Idempotency-Key", "the-same-key")
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let response = turn["response"]["id"].as_str().unwrap().to_owned();
    let end = client.response_end(&response).await;
    assert_eq!(end["status"], "completed", "{end}");
    let mut ids = vec![collection.clone(), document, session.clone(), response];
    for path in ["/jobs?limit=100", &format!("/sessions/{session}/messages")] {
        let (_, list) = client.get(path).await.unwrap();
        ids.extend(list["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
    }
    let (_, found) = client.post("/search", &json!({"query": "secret valve"})).await.unwrap();
    ids.push(found["data"][0]["chunk_id"].as_str().unwrap().to_owned());
    Tenant { client, secret, ids, session, collection }
}

/// Whether an answer tells anything of these ids.
fn tells(text: &str, ids: &[String]) -> bool {
    ids.iter().any(|id| text.contains(&id[id.find('_').unwrap() + 1..]))
}

async fn nothing_of_another_tenant_is_found(profile: Profile) {
    let (_fake, server) = guarded(profile, "say=It is the valve [1]; tps=1000").await;
    let (one, other) = (settle(&server, "one").await, settle(&server, "the other / 二").await);
    assert!(other.ids.iter().all(|id| !one.ids.contains(id)), "an id was given twice");
    let probes = every_endpoint(&one.client, &other).await + lists_and_cursors(&one.client, &other).await;
    references(&one, &other).await;
    sockets(&server, &one, &other).await;
    // Nothing that was tried has changed anything.
    let (status, _) = other.client.get(&format!("/sessions/{}", other.session)).await.unwrap();
    assert_eq!(status, 200);
    let (_, found) = other.client.post("/search", &json!({"query": "secret valve"})).await.unwrap();
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    println!("{probes} probes of another tenant's ids found nothing");
}

/// Every path with an id in it, every method, every id of the other tenant.
async fn every_endpoint(client: &ChatClient, other: &Tenant) -> usize {
    let document: Value =
        client.http.get(format!("{}/openapi.json", client.url())).send().await.unwrap().json().await.unwrap();
    let bodies = [
        json!({}),
        json!({"content": "x"}),
        json!({"title": "mine now"}),
        json!({"text": "x", "filename": "x.md"}),
    ];
    let mut probes = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        if !path.contains("{id}") {
            continue;
        }
        for (method, id) in
            methods.as_object().unwrap().keys().flat_map(|m| other.ids.iter().map(move |id| (m, id)))
        {
            let method: Method = method.to_uppercase().parse().unwrap();
            let tries =
                if method == Method::GET || method == Method::DELETE { &bodies[..1] } else { &bodies[..] };
            for body in tries {
                let url = format!("{}{}", client.url(), path.replace("{id}", id));
                let answer = client.http.request(method.clone(), url).json(body).send().await.unwrap();
                let (status, text) = (answer.status(), answer.text().await.unwrap());
                let refused = [403, 404, 415, 422].contains(&status.as_u16());
                assert!(refused, "{method} {path} {id} {body}: {status} {text}");
                probes += 1;
            }
        }
    }
    assert!(probes > 100, "only {probes} probes");
    probes
}

async fn lists_and_cursors(client: &ChatClient, other: &Tenant) -> usize {
    let mut probes = 0;
    for list in ["/sessions", "/collections", "/documents", "/jobs"] {
        let mut queries = vec![String::new(), "?tenant=the%20other%20%2F%20%E4%BA%8C".to_owned()];
        for id in &other.ids {
            queries.extend(
                ["after", "before", "session", "document", "collection"].map(|name| format!("?{name}={id}")),
            );
        }
        for query in queries {
            let answer = client.http.get(client.at(&format!("{list}{query}"))).send().await.unwrap();
            let text = answer.text().await.unwrap();
            let rows = serde_json::from_str::<Value>(&text).unwrap()["data"].to_string();
            assert!(!tells(&rows, &other.ids), "{list}{query}: {text}");
            probes += 1;
        }
    }
    for mode in ["hybrid", "vector", "keyword"] {
        let (_, found) = client
            .post("/search", &json!({"query": "secret valve", "mode": mode, "limit": 50}))
            .await
            .unwrap();
        assert_eq!(found["data"].as_array().unwrap().len(), 1, "{found}");
        assert!(!tells(&found.to_string(), &other.ids));
        probes += 1;
    }
    probes
}

/// The other's things named in bodies, and its idempotency key.
async fn references(one: &Tenant, other: &Tenant) {
    for (path, body) in [
        ("/sessions", json!({"collections": [other.collection]})),
        ("/search", json!({"query": "secret", "collections": [other.collection]})),
    ] {
        let (status, answer) = one.client.post(path, &body).await.unwrap();
        assert!([404, 422].contains(&status.as_u16()), "{path}: {status} {answer}");
    }
    let message = json!({"content": "x", "collections": [other.collection]});
    let (status, answer) =
        one.client.post(&format!("/sessions/{}/messages", one.session), &message).await.unwrap();
    assert!([404, 422].contains(&status.as_u16()), "{status} {answer}");
    // The same key, path and body as the other's: another path by the session, so a fresh answer of one's own.
    let request = one.client.http.post(one.client.at(&format!("/sessions/{}/messages", other.session)));
    let answer =
        request.header("Idempotency-Key", "the-same-key").json(&json!({"content": "Which valve is secret?"}));
    let answer = answer.send().await.unwrap();
    assert!([404, 409].contains(&answer.status().as_u16()), "{}", answer.status());
    assert!(!tells(&answer.text().await.unwrap(), &other.ids[3..]));
}

async fn sockets(server: &Deployment, one: &Tenant, other: &Tenant) {
    let bearer = format!("Bearer {}", one.secret);
    let mut socket = Socket::connect(&server.client().url(), &[("authorization", &bearer)]).await.unwrap();
    for id in &other.ids {
        for frame in [
            json!({"type": "subscribe", "response_id": id}),
            json!({"type": "document.subscribe", "document_id": id}),
            json!({"type": "response.cancel", "response_id": id}),
            json!({"type": "message.create", "session_id": id, "content": "x"}),
        ] {
            let answer = socket.ask(frame.clone()).await;
            assert_eq!(answer["type"], "error", "{frame}: {answer}");
        }
    }
}
