use crate::app::App;
use axum::{body::Body, http::Request};
use chat_api::ApiOptions;
use serde_json::{Value, json};

#[tokio::test]
async fn health_and_readiness() {
    let app = App::start().await;
    assert_eq!(app.get("/health").await.is(200).json(), json!({"status": "ok"}));
    let ready = app.get("/ready").await.is(200).json();
    assert_eq!(ready["status"], "ready");
    for name in ["store", "lanes", "bus", "blobs", "index"] {
        assert_eq!(ready["checks"][name]["state"], "up", "{ready}");
        assert!(ready["checks"][name]["latency_ms"].is_number(), "{ready}");
    }
    app.state.draining.cancel();
    assert_eq!(app.get("/ready").await.is(503).json()["status"], "draining");
    app.get("/health").await.is(200);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let app = App::start().await;
    app.get("/api/v1/nothing").await.problem(404, "not_found");
    app.get("/").await.problem(404, "not_found");
    let reply = app.delete("/api/v1/sessions").await;
    reply.problem(405, "method_not_allowed");
    let allowed = reply.header("allow");
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    assert_eq!(reply.json()["instance"], "/api/v1/sessions");
}

#[tokio::test]
async fn requests_have_ids() {
    let app = App::start().await;
    let ask = |id: &'static [u8]| {
        let app = &app;
        async move {
            let value = axum::http::HeaderValue::from_bytes(id).unwrap();
            let request = Request::get("/health").header("x-request-id", value).body(Body::empty()).unwrap();
            app.send(request).await.header("x-request-id")
        }
    };
    assert_eq!(ask(b"my-request_1.2").await, "my-request_1.2");
    for insane in [&b"a b"[..], b"", b"\"; rm -rf", &[b'x'; 129], "号".as_bytes()] {
        let given = ask(insane).await;
        assert_eq!(given.len(), 36, "{given}");
    }
}

#[tokio::test]
async fn the_interface_describes_itself() {
    let app = App::start().await;
    let document = app.get("/openapi.json").await.is(200).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    for path in [
        "/api/v1/sessions",
        "/api/v1/sessions/{id}",
        "/api/v1/sessions/{id}/messages",
        "/api/v1/responses/{id}",
        "/api/v1/responses/{id}/events",
        "/api/v1/responses/{id}/cancel",
        "/api/v1/responses/{id}/regenerate",
        "/api/v1/collections",
        "/api/v1/collections/{id}",
        "/api/v1/collections/{id}/documents",
        "/api/v1/documents",
        "/api/v1/documents/{id}",
        "/api/v1/documents/{id}/events",
        "/api/v1/documents/{id}/content",
        "/api/v1/documents/{id}/chunks",
        "/api/v1/documents/{id}/reindex",
        "/api/v1/documents/{id}/cancel",
        "/api/v1/search",
        "/api/v1/embeddings",
        "/api/v1/jobs",
        "/api/v1/jobs/{id}",
        "/api/v1/jobs/{id}/cancel",
        "/api/v1/jobs/{id}/retry",
        "/api/v1/jobs/bulk",
        "/api/v1/usage",
        "/health",
        "/ready",
    ] {
        assert!(paths.contains_key(path), "{path} is not described");
    }
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            for (status, answer) in operation["responses"].as_object().unwrap() {
                assert!(answer["description"].is_string(), "{method} {path} does not describe {status}");
            }
        }
    }
    dangling(&document, &document);
}

/// The statuses that an operation may be refused with; each is described as a problem.
fn errors(operation: &Value) -> Vec<&str> {
    let errors = operation["responses"].as_object().unwrap().iter().filter(|(status, _)| &***status >= "400");
    errors
        .map(|(status, response)| {
            let content = response["content"].as_object().unwrap();
            assert_eq!(content.keys().collect::<Vec<_>>(), ["application/problem+json"], "{response}");
            let schema = &content["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem");
            status.as_str()
        })
        .collect()
}

#[tokio::test]
async fn the_interface_says_who_may_call_and_what_may_go_wrong() {
    let app = App::start().await;
    let document = app.get("/openapi.json").await.is(200).json();
    let scheme = &document["components"]["securitySchemes"]["key"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&json!("http"), &json!("bearer")));
    assert_eq!(document["security"], json!([{"key": []}]));
    let operation = |method: &str, path: &str| document["paths"][path][method].clone();
    assert_eq!(operation("get", "/health")["security"], json!([]));
    assert_eq!(operation("get", "/ready")["security"], json!([]));
    assert_eq!(operation("get", "/api/v1/sessions")["security"], json!(null));
    assert_eq!(operation("get", "/api/v1/ws")["security"], json!([{"key": []}, {}]));
    for (method, path, statuses) in [
        ("get", "/api/v1/sessions", "400 401 422 429 503"),
        ("get", "/api/v1/sessions/{id}", "400 401 404 422 429 503"),
        ("delete", "/api/v1/sessions/{id}", "400 401 404 422 429 503"),
        ("patch", "/api/v1/sessions/{id}", "400 401 404 413 415 422 429 503"),
        ("post", "/api/v1/sessions/{id}/messages", "400 401 404 409 413 415 422 429 503"),
        ("post", "/api/v1/lanes/{name}/pause", "400 401 403 404 409 413 415 422 429 503"),
        ("post", "/api/v1/keys", "400 401 403 409 413 415 422 429 503"),
    ] {
        assert_eq!(errors(&operation(method, path)).join(" "), statuses, "{method} {path}");
    }
    let limited = &operation("post", "/api/v1/search")["responses"]["429"];
    assert!(limited["headers"]["Retry-After"].is_object(), "{limited}");
}

#[tokio::test]
async fn every_post_is_described_with_its_key() {
    let app = App::start().await;
    let document = app.get("/openapi.json").await.is(200).json();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let key = parameters.iter().find(|parameter| parameter["name"] == "Idempotency-Key");
            assert_eq!(key.is_some(), method == "post", "{method} {path}");
            if let Some(key) = key {
                assert_eq!((&key["in"], &key["required"]), (&json!("header"), &json!(false)), "{path}");
                assert_eq!(key["schema"]["maxLength"], 255, "{path}");
            }
        }
    }
}

/// Every reference leads somewhere.
fn dangling(document: &Value, part: &Value) {
    match part {
        Value::Object(members) => {
            if let Some(target) = members.get("$ref").and_then(|target| target.as_str()) {
                assert!(document.pointer(&target[1..]).is_some(), "{target} is not there");
            }
            members.values().for_each(|member| dangling(document, member));
        }
        Value::Array(items) => items.iter().for_each(|item| dangling(document, item)),
        _ => {}
    }
}

#[tokio::test]
async fn the_page_needs_no_other_host() {
    let app = App::start().await;
    app.get("/docs").await.is(308);
    let page = app.get("/docs/").await.is(200);
    assert_eq!(page.header("content-type"), "text/html");
    assert!(page.header("content-security-policy").starts_with("default-src 'self'"));
    for line in page.text().lines().filter(|line| line.contains("src=") || line.contains("href=")) {
        assert!(!line.contains("//"), "{line}");
    }
    assert!(app.get("/docs/swagger-initializer.js").await.is(200).text().contains("/openapi.json"));
    assert!(app.get("/docs/swagger-ui-bundle.js").await.is(200).body.len() > 100_000);
    app.get("/docs/../Cargo.toml").await.problem(404, "not_found");
    app.get("/docs/nothing.js").await.problem(404, "not_found");
}

#[tokio::test]
async fn other_hosts_are_not_served() {
    let options =
        ApiOptions { allowed_hosts: Some(vec!["chat.example.com".into()]), ..ApiOptions::default() };
    let app = App::with(options).await;
    let ask = |host: &'static str, path: &'static str| {
        app.send(Request::get(path).header("host", host).body(Body::empty()).unwrap())
    };
    ask("chat.example.com:8000", "/api/v1/sessions").await.is(200);
    ask("evil.example", "/api/v1/sessions").await.problem(421, "invalid_request");
    ask("10.0.0.7:8000", "/health").await.is(200);
}

#[tokio::test]
async fn only_known_origins_may_call_from_a_page() {
    let options = ApiOptions { cors_origins: vec!["https://app.example".into()], ..ApiOptions::default() };
    let app = App::with(options).await;
    let ask = |origin: &'static str| {
        app.send(Request::get("/api/v1/sessions").header("origin", origin).body(Body::empty()).unwrap())
    };
    assert_eq!(ask("https://app.example").await.header("access-control-allow-origin"), "https://app.example");
    assert!(ask("https://evil.example").await.headers.get("access-control-allow-origin").is_none());
    let preflight = Request::options("/api/v1/sessions")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "idempotency-key");
    let reply = app.send(preflight.body(Body::empty()).unwrap()).await.is(200);
    assert!(reply.header("access-control-allow-headers").contains("idempotency-key"));
}
