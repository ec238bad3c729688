//! What browsers are told: headers of every answer, and which pages of other sites may call.

use crate::app::{App, Reply};
use axum::{body::Body, http::Request};
use chat_api::{ApiOptions, Identity};
use serde_json::json;

async fn ask(app: &App, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::empty()).unwrap()).await
}

/// The members of a list in a header.
fn list(reply: &Reply, name: &str) -> Vec<String> {
    reply.header(name).split(',').map(|item| item.trim().to_ascii_lowercase()).collect()
}

#[tokio::test]
async fn every_answer_says_what_a_browser_must_not_do() {
    let app =
        App::with(ApiOptions { cors_origins: vec!["https://app.example".into()], ..ApiOptions::default() })
            .await;
    let session = app.session().await;
    let preflight = [("origin", "https://app.example"), ("access-control-request-method", "POST")];
    let answers = [
        ask(&app, "GET", &session, &[]).await.is(200),
        ask(&app, "GET", "/health", &[]).await.is(200),
        ask(&app, "GET", "/openapi.json", &[]).await.is(200),
        ask(&app, "GET", "/docs", &[]).await.is(308),
        ask(&app, "GET", "/docs/", &[]).await.is(200),
        ask(&app, "GET", "/nothing", &[]).await.is(404),
        ask(&app, "PUT", "/api/v1/sessions", &[]).await.is(405),
        ask(&app, "POST", "/api/v1/sessions", &[("content-type", "text/plain")]).await.is(415),
        ask(&app, "OPTIONS", "/api/v1/sessions", &preflight).await.is(200),
    ];
    for answer in answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src ") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(answer.headers.get("strict-transport-security").is_none());
        assert!(answer.headers.get("access-control-allow-credentials").is_none());
    }
}

#[tokio::test]
async fn whoever_came_by_tls_is_told_to_stay_with_it() {
    let app = App::start().await;
    for (said, strict) in [("https", true), ("https, http", true), ("http", false)] {
        let answer = ask(&app, "GET", "/api/v1/sessions", &[("x-forwarded-proto", said)]).await;
        assert_eq!(answer.headers.contains_key("strict-transport-security"), strict, "{said}");
    }
}

#[tokio::test]
async fn the_page_of_the_interface_may_run_its_own_scripts_and_nothing_else() {
    let app = App::start().await;
    let page = app.get("/docs/").await.is(200);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("script-src"), "{policy}");
    assert!(!page.text().contains("<script>"), "an inline script would not run");
    let data = app.get("/openapi.json").await.header("content-security-policy");
    assert!(data.starts_with("default-src 'none'"), "{data}");
}

#[tokio::test]
async fn a_page_that_may_call_may_use_all_of_the_interface() {
    let options = ApiOptions {
        cors_origins: vec!["https://app.example".into()],
        identity: Identity { secret_key: "k".into(), required: true },
        ..ApiOptions::default()
    };
    let app = App::with(options).await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let wanted = [
            ("origin", "https://app.example"),
            ("access-control-request-method", method),
            ("access-control-request-headers", "authorization, content-type, idempotency-key, last-event-id"),
        ];
        let answer = ask(&app, "OPTIONS", "/api/v1/sessions", &wanted).await.is(200);
        assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
        assert!(list(&answer, "access-control-allow-methods").contains(&method.to_ascii_lowercase()));
        let headers = list(&answer, "access-control-allow-headers");
        for name in
            ["authorization", "content-type", "idempotency-key", "last-event-id", "range", "if-none-match"]
        {
            assert!(headers.iter().any(|allowed| allowed == name), "{name}: {headers:?}");
        }
        assert_eq!(answer.header("access-control-max-age"), "600");
        assert!(list(&answer, "vary").contains(&"origin".to_owned()));
    }
    // A refusal can be read, too: a page that is not told why cannot say why.
    let refused = ask(&app, "GET", "/api/v1/sessions", &[("origin", "https://app.example")]).await;
    refused.problem(401, "unauthorized");
    assert_eq!(refused.header("access-control-allow-origin"), "https://app.example");
    let exposed = list(&refused, "access-control-expose-headers");
    for name in
        ["location", "x-request-id", "retry-after", "idempotent-replayed", "etag", "ratelimit-remaining"]
    {
        assert!(exposed.iter().any(|shown| shown == name), "{name}: {exposed:?}");
    }
}

#[tokio::test]
async fn other_pages_may_not_call() {
    let app =
        App::with(ApiOptions { cors_origins: vec!["https://app.example".into()], ..ApiOptions::default() })
            .await;
    for origin in ["https://evil.example", "http://app.example", "https://app.example.evil.example", "null"] {
        let wanted = [("origin", origin), ("access-control-request-method", "POST")];
        let answer = ask(&app, "OPTIONS", "/api/v1/sessions", &wanted).await;
        assert!(answer.headers.get("access-control-allow-origin").is_none(), "{origin}");
    }
    let all = App::with(ApiOptions { cors_origins: vec!["*".into()], ..ApiOptions::default() }).await;
    let answer = ask(&all, "GET", "/api/v1/sessions", &[("origin", "https://any.example")]).await.is(200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let answer = all.post("/api/v1/sessions", json!({})).await.is(201);
    assert!(answer.headers.get("access-control-allow-credentials").is_none());
}

#[tokio::test]
async fn a_request_for_two_hosts_is_for_none() {
    let app =
        App::with(ApiOptions { allowed_hosts: Some(vec!["chat.example".into()]), ..ApiOptions::default() })
            .await;
    let hosts = |one, other| [("host", one), ("host", other)];
    let answer = ask(&app, "GET", "/api/v1/sessions", &hosts("chat.example", "evil.example")).await;
    answer.problem(421, "invalid_request");
    ask(&app, "GET", "/api/v1/sessions", &hosts("evil.example", "chat.example"))
        .await
        .problem(421, "invalid_request");
    ask(&app, "GET", "/api/v1/sessions", &[("host", "chat.example")]).await.is(200);
    ask(&app, "GET", "http://evil.example/api/v1/sessions", &[("host", "chat.example")])
        .await
        .problem(421, "invalid_request");
}
