//! Over a real socket.

use crate::app::{App, DEADLINE, json_request};
use chat_api::{ApiOptions, serve};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn ask(address: SocketAddr, request: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

/// Reads until the text comes.
async fn until(socket: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(wanted) {
        let read = timeout(DEADLINE, socket.read(&mut buffer)).await.expect("nothing comes").unwrap();
        assert!(read > 0, "closed before {wanted:?}: {text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

async fn to_end(socket: &mut TcpStream) -> String {
    let mut text = String::new();
    timeout(DEADLINE, socket.read_to_string(&mut text)).await.expect("it does not end").unwrap();
    text
}

#[tokio::test]
async fn a_stop_ends_streams_and_lets_requests_finish() {
    let app = App::start().await;
    let session = app.session().await;
    let turn =
        app.send(json_request("POST", &format!("{session}/messages"), &json!({"content": "x"}))).await.json();
    let (listener, address) = listen().await;
    let stop = CancellationToken::new();
    let talking = async {
        let path = format!("/api/v1/responses/{}/events", turn["response"]["id"].as_str().unwrap());
        let mut stream = ask(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        assert!(until(&mut stream, "event: response.queued").await.contains("text/event-stream"));
        // Half a request: its other half comes after the stop.
        let head =
            "POST /api/v1/sessions HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
        let mut open = ask(address, head).await;
        until(&mut open, "100 Continue").await;
        stop.cancel();
        let end = to_end(&mut stream).await;
        assert!(!end.contains("event:"), "{end}");
        open.write_all(b"{}").await.unwrap();
        assert!(to_end(&mut open).await.starts_with("HTTP/1.1 201"));
    };
    let serving = timeout(DEADLINE, serve(listener, app.state.clone(), stop.clone()));
    let (served, ()) = tokio::join!(serving, talking);
    served.expect("the server does not stop").unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "it still accepts connections");
}

#[tokio::test]
async fn requests_are_counted_by_route_pattern() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // For this thread, on which the whole test runs.
    let _guard = metrics::set_default_local_recorder(&recorder);
    let app = App::start().await;
    let session = app.session().await;
    app.get(&session).await.is(200);
    app.get("/nothing/at/all").await.is(404);
    let odd =
        axum::http::Request::builder().method("BREW").uri("/health").body(axum::body::Body::empty()).unwrap();
    app.send(odd).await.is(405);

    let text = handle.render();
    for line in [
        "http_requests_total{method=\"POST\",endpoint=\"/api/v1/sessions\",status=\"201\"} 1",
        "http_requests_total{method=\"GET\",endpoint=\"/api/v1/sessions/{id}\",status=\"200\"} 1",
        "http_requests_total{method=\"GET\",endpoint=\"unmatched\",status=\"404\"} 1",
        "http_requests_total{method=\"other\",endpoint=\"/health\",status=\"405\"} 1",
        "http_request_duration_seconds_count{method=\"GET\",endpoint=\"/api/v1/sessions/{id}\"} 1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("/ses_"), "a raw path is a label");
}

#[tokio::test]
async fn further_connections_wait_until_one_is_closed() {
    let app = App::with(ApiOptions { max_connections: 2, ..ApiOptions::default() }).await;
    let (listener, address) = listen().await;
    let stop = CancellationToken::new();
    let talking = async {
        let health = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
        let mut first = ask(address, health).await;
        let mut second = ask(address, health).await;
        until(&mut first, "{\"status\":\"ok\"}").await;
        until(&mut second, "{\"status\":\"ok\"}").await;
        let mut third = ask(address, health).await;
        let early = timeout(Duration::from_millis(300), third.read_u8()).await;
        assert!(early.is_err(), "a third connection is served although two are open");
        drop(first);
        until(&mut third, "{\"status\":\"ok\"}").await;
        stop.cancel();
    };
    let serving = timeout(DEADLINE, serve(listener, app.state.clone(), stop.clone()));
    let (served, ()) = tokio::join!(serving, talking);
    served.expect("the server does not stop").unwrap();
}

#[tokio::test]
async fn a_plain_request_that_takes_too_long_is_given_up_and_an_upload_is_not() {
    let options = ApiOptions { request_timeout: Duration::from_millis(200), ..ApiOptions::default() };
    let app = App::with(options).await;
    let collection = app.collection("手册").await;
    let (listener, address) = listen().await;
    let stop = CancellationToken::new();
    let talking = async {
        // Bodies of which nothing comes, or half.
        let head = |path: &str, kind: &str| {
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: 60\r\n\r\n")
        };
        let mut plain = ask(address, &head("/api/v1/sessions", "application/json")).await;
        let answer = until(&mut plain, "\"dependency_unavailable\"").await;
        assert!(
            answer.starts_with("HTTP/1.1 503") && answer.to_lowercase().contains("retry-after: 2"),
            "{answer}"
        );
        let path = format!("{collection}/documents");
        let body = r#"{"filename": "a.md", "text": "0123456789012345678901234567"}"#;
        assert_eq!(body.len(), 60);
        let mut upload = ask(address, &format!("{}{}", head(&path, "application/json"), &body[..30])).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        upload.write_all(&body.as_bytes()[30..]).await.unwrap();
        assert!(until(&mut upload, "\r\n\r\n").await.starts_with("HTTP/1.1 202"));
        stop.cancel();
    };
    let serving = timeout(DEADLINE, serve(listener, app.state.clone(), stop.clone()));
    let (served, ()) = tokio::join!(serving, talking);
    served.expect("the server does not stop").unwrap();
}

#[tokio::test]
async fn a_request_of_http_1_1_names_its_host() {
    let app = App::start().await;
    let (listener, address) = listen().await;
    let stop = CancellationToken::new();
    let talking = async {
        let mut nameless = ask(address, "GET /health HTTP/1.1\r\n\r\n").await;
        let refused = until(&mut nameless, "\"code\":\"invalid_request\"").await;
        assert!(
            refused.starts_with("HTTP/1.1 400") && refused.contains("application/problem+json"),
            "{refused}"
        );
        let mut old = ask(address, "GET /health HTTP/1.0\r\n\r\n").await;
        until(&mut old, "{\"status\":\"ok\"}").await;
        stop.cancel();
    };
    let serving = timeout(DEADLINE, serve(listener, app.state.clone(), stop.clone()));
    let (served, ()) = tokio::join!(serving, talking);
    served.expect("the server does not stop").unwrap();
}
