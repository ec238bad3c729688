//! Over a real socket.

use crate::app::{App, DEADLINE, json_request};
use chat_api::serve;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use std::net::SocketAddr;
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
    assert!(!text.contains("ses_"), "a raw path is a label");
}
