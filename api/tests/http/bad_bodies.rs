use crate::app::App;
use axum::{body::Body, http::Request};
use bytes::Bytes;
use futures::stream;
use serde_json::json;

#[tokio::test]
async fn every_bad_field_is_named() {
    let app = App::start().await;
    let session = app.session().await;
    let body = json!({
        "content": 7, "collections": ["col_1", 2], "stream": "yes", "on_busy": "explode", "model": "",
        "temperature": 2.5, "max_output_tokens": 0, "top_k": 1.5, "colour": "red", "a.b": null
    });
    let mut named = app.post(&format!("{session}/messages"), body).await.problem(422, "invalid_request");
    named.sort();
    let expected = [
        "a.b",
        "collections[0]",
        "collections[1]",
        "colour",
        "content",
        "max_output_tokens",
        "model",
        "on_busy",
        "stream",
        "temperature",
        "top_k",
    ];
    assert_eq!(named, expected);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let app = App::start().await;
    assert_eq!(app.post("/api/v1/collections", json!({})).await.problem(422, "invalid_request"), ["name"]);
    let nulls = app.post("/api/v1/collections", json!({"name": null})).await;
    assert_eq!(nulls.problem(422, "invalid_request"), ["name"]);
    assert_eq!(
        app.post("/api/v1/jobs/bulk", json!({})).await.problem(422, "invalid_request"),
        ["action", "filter"]
    );
}

#[tokio::test]
async fn what_is_there_twice_is_named() {
    let app = App::start().await;
    let body =
        r#"{"action": "delete", "filter": {"state": "dead", "state": "succeeded"}, "action": "retry"}"#;
    let request = Request::post("/api/v1/jobs/bulk").body(Body::from(body)).unwrap();
    assert_eq!(app.send(request).await.problem(422, "invalid_request"), ["filter.state", "action"]);
}

#[tokio::test]
async fn what_is_no_json_is_400() {
    let app = App::start().await;
    for body in ["{", "{\"title\": }", "{\"title\": \"\\ud800\"}", "nonsense", &"[".repeat(100_000)] {
        let request = Request::post("/api/v1/sessions").header("content-type", "application/json");
        let reply = app.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        reply.problem(400, "invalid_json");
    }
    let latin = Request::post("/api/v1/sessions").body(Body::from(&b"{\"title\": \"caf\xe9\"}"[..])).unwrap();
    app.send(latin).await.problem(400, "invalid_json");
    let list = Request::post("/api/v1/sessions").body(Body::from("[1]")).unwrap();
    assert_eq!(app.send(list).await.problem(422, "invalid_request"), ["body"]);
}

#[tokio::test]
async fn other_media_types_are_refused() {
    let app = App::start().await;
    for (media_type, status) in
        [("text/plain", 415), ("application/xml", 415), ("application/json; charset=utf-8", 201)]
    {
        let request = Request::post("/api/v1/sessions").header("content-type", media_type);
        let reply = app.send(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(reply.status, status, "{media_type}");
    }
    app.send(Request::post("/api/v1/sessions").body(Body::from("{}")).unwrap()).await.is(201);
    let form = Request::post("/api/v1/sessions")
        .header("content-type", "text/plain")
        .body(Body::from("{}"))
        .unwrap();
    app.send(form).await.problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn compressed_bodies_are_refused_unread() {
    let app = App::start().await;
    let collection = app.collection("c").await;
    let calls = [
        ("POST", "/api/v1/sessions".to_owned(), "application/json"),
        ("POST", format!("{collection}/documents"), "multipart/form-data; boundary=b"),
        ("POST", format!("{collection}/documents"), "application/json"),
    ];
    for (method, path, media_type) in calls {
        for coding in ["gzip", "identity, br", "GZIP"] {
            // Nothing of the body comes: whoever reads it waits.
            let body = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
            let request = Request::builder().method(method).uri(&path).header("content-type", media_type);
            let request = request.header("content-encoding", coding).header("expect", "100-continue");
            let reply = app.send(request.body(body).unwrap()).await;
            reply.problem(415, "unsupported_media_type");
            assert_eq!(reply.header("accept-encoding"), "identity");
        }
    }
    let plain = Request::post("/api/v1/sessions").header("content-encoding", "identity");
    app.send(plain.body(Body::from("{}")).unwrap()).await.is(201);
}

#[tokio::test]
async fn null_is_named_where_it_means_nothing() {
    let app = App::start().await;
    let session = app.session().await;
    let collection = app.collection("手册").await;
    let nulls = json!({"title": null, "instructions": null, "collections": null, "metadata": null});
    let named = app.patch(&session, nulls).await.problem(422, "invalid_request");
    assert_eq!(named, ["collections", "metadata"]);
    let named = app.patch(&collection, json!({"name": null, "metadata": null})).await;
    assert_eq!(named.problem(422, "invalid_request"), ["name", "metadata"]);
    app.patch(&session, json!({"title": null, "instructions": null})).await.is(200);
    assert_eq!(app.get(&collection).await.json()["name"], "手册");
}

#[tokio::test]
async fn data_of_callers_may_have_backslashes() {
    let app = App::start().await;
    let metadata = json!({"path": "C:\\u0000", "\\u0000": ["\\\\u0000"]});
    let made = app.post("/api/v1/sessions", json!({"metadata": metadata})).await.is(201);
    assert_eq!(made.json()["metadata"], metadata);
    for metadata in [json!({"a\0": 1}), json!({"a": [{"b": "x\0"}]}), json!({"a": [["\0"]]})] {
        let reply = app.post("/api/v1/sessions", json!({"metadata": metadata})).await;
        assert_eq!(reply.problem(422, "invalid_request"), ["metadata"]);
    }
}

#[tokio::test]
async fn data_of_callers_has_a_size() {
    let app = App::start().await;
    for metadata in [json!([]), json!("x"), json!({"a": "x".repeat(70_000)}), json!({"a": {"b": "\0"}})] {
        let reply = app.post("/api/v1/sessions", json!({"metadata": metadata})).await;
        assert_eq!(reply.problem(422, "invalid_request"), ["metadata"]);
    }
}
