//! Rate limits and quotas, with the counts of one process.

use crate::app::{App, Reply, json_request};
use axum::{body::Body, http::Request};
use chat_api::{ApiOptions, Identity, sign_token};
use chat_core::{JobId, Limits, Scope, Tenant};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use std::time::Duration;

const SECRET_KEY: &str = "a secret key that only this test knows";

async fn limited(limits: Limits, required: bool) -> App {
    let identity = Identity { secret_key: SECRET_KEY.into(), required };
    let options = ApiOptions { identity, ..ApiOptions::default() };
    let work = chat_jobs::Options { limits, ..chat_jobs::Options::default() };
    App::limited(tempfile::tempdir().unwrap(), options, work).await
}

async fn get_as(app: &App, secret: &str, path: &str) -> Reply {
    let request = Request::get(path).header("authorization", format!("Bearer {secret}"));
    app.send(request.body(Body::empty()).unwrap()).await
}

/// A key's secret.
async fn key(app: &App, tenant: &str) -> String {
    let now = app.state.ports.clock.now();
    let admin =
        sign_token(SECRET_KEY, &Tenant::from("ops"), Scope::Admin, now, Duration::from_mins(1)).unwrap();
    let body = json!({"name": "测试", "scopes": ["user"], "tenant": tenant});
    let mut request = json_request("POST", "/api/v1/keys", &body);
    request.headers_mut().insert("authorization", format!("Bearer {admin}").parse().unwrap());
    app.send(request).await.is(201).json()["secret"].as_str().unwrap().to_owned()
}

/// A token's text.
fn token(app: &App, tenant: &str) -> String {
    let now = app.state.ports.clock.now();
    sign_token(SECRET_KEY, &Tenant::from(tenant), Scope::User, now, Duration::from_mins(1)).unwrap()
}

fn number(reply: &Reply, name: &str) -> u64 {
    reply.header(name).parse().unwrap()
}

#[tokio::test]
async fn too_many_requests_are_refused_and_told_when_to_come_back() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let app = limited(Limits { tenant_requests: 3, ..Limits::default() }, false).await;
    for left in [2, 1, 0] {
        let reply = app.get("/api/v1/sessions").await.is(200);
        assert_eq!((number(&reply, "ratelimit-limit"), number(&reply, "ratelimit-remaining")), (3, left));
        assert_eq!(number(&reply, "x-ratelimit-remaining-requests"), left);
        assert!(number(&reply, "ratelimit-reset") <= 120);
    }
    let refused = app.post("/api/v1/sessions", json!({})).await;
    refused.problem(429, "rate_limited");
    let wait = number(&refused, "retry-after");
    assert!((1..=120).contains(&wait), "{wait}");
    assert_eq!((number(&refused, "ratelimit-reset"), &refused.json()["retry_after"]), (wait, &json!(wait)));
    assert_eq!(number(&refused, "ratelimit-remaining"), 0);
    for path in ["/health", "/ready", "/openapi.json", "/docs/"] {
        assert!(app.get(path).await.is(200).headers.get("ratelimit-limit").is_none(), "{path}");
    }
    let text = handle.render();
    let line = "requests_refused_total{reason=\"rate_limited\",limit=\"tenant\"} 1";
    assert!(text.contains(line), "{text}");
}

#[tokio::test]
async fn without_limits_nothing_is_said_of_them() {
    let app = App::start().await;
    let reply = app.get("/api/v1/sessions").await.is(200);
    assert!(reply.headers.keys().all(|name| !name.as_str().contains("ratelimit")), "{:?}", reply.headers);
}

#[tokio::test]
async fn keys_are_limited_apart_and_tenants_too() {
    let app = limited(Limits { key_requests: 2, tenant_requests: 5, ..Limits::default() }, true).await;
    let (one, other, stranger) = (key(&app, "房东").await, key(&app, "房东").await, key(&app, "房客").await);
    let status = async |secret: &str| get_as(&app, secret, "/api/v1/sessions").await.status;
    assert_eq!([status(&one).await, status(&one).await, status(&one).await], [200, 200, 429]);
    assert_eq!([status(&other).await, status(&other).await, status(&other).await], [200, 200, 429]);
    let token = token(&app, "房东");
    assert_eq!(status(&token).await, 200, "a token has no limit but its tenant's");
    assert_eq!(status(&token).await, 429, "what keys were refused was not counted, what they did was");
    assert_eq!([status(&stranger).await, status(&stranger).await, status(&stranger).await], [200, 200, 429]);
    assert_eq!(status("wrong").await, 401, "nobody is counted for who is not known");
}

#[tokio::test]
async fn a_quota_stops_what_takes_tokens_and_nothing_else() {
    let app = limited(Limits { tenant_tokens: 100, ..Limits::default() }, false).await;
    let path = format!("{}/messages", app.session().await);
    let first = app.post_with_key(&path, "k", json!({"content": "什么是所有权？"})).await.is(202);
    let limits = app.state.work.limits.tokens(None);
    app.state.ports.limiter.spend(&Tenant::default(), &limits, 130, JobId::new()).await;

    let refused = app.post(&path, json!({"content": "再问一次"})).await;
    refused.problem(429, "quota_exceeded");
    assert_eq!(number(&refused, "x-ratelimit-limit-tokens"), 100);
    assert_eq!(number(&refused, "x-ratelimit-remaining-tokens"), 0);
    let wait = number(&refused, "retry-after");
    assert!((1..=24 * 3600).contains(&wait), "{wait} s until midnight");
    let response = first.json()["response"]["id"].as_str().unwrap().to_owned();
    let again = format!("/api/v1/responses/{response}/regenerate");
    app.post(&again, json!({})).await.problem(429, "quota_exceeded");
    app.post("/api/v1/embeddings", json!({"input": "文字"})).await.problem(429, "quota_exceeded");
    assert_eq!(app.files().await, 0, "texts that were refused were not kept");

    let replayed = app.post_with_key(&path, "k", json!({"content": "什么是所有权？"})).await.is(202);
    assert_eq!(replayed.json(), first.json());
    app.get(&path).await.is(200);
    app.post("/api/v1/search", json!({"query": "所有权"})).await.is(200);
}
