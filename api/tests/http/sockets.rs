//! Frames of the WebSocket, over a real one.

use crate::app::{App, DEADLINE};
use chat_api::{ApiOptions, Identity, serve};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, protocol::frame::coding::CloseCode},
};
use tokio_util::sync::CancellationToken;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The largest frame that is read.
const LARGEST: usize = 2 * 1024 * 1024;

/// Connects to an app that is served as long as its stop is kept.
async fn connect(app: &App) -> (Stream, tokio_util::sync::DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/api/v1/ws", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    app.state.tasks.spawn(serve(listener, app.state.clone(), stop.clone()));
    (connect_async(url).await.unwrap().0, stop.drop_guard())
}

/// Says something; the answer, without the events that come before it.
async fn ask(stream: &mut Stream, message: Message) -> Value {
    stream.send(message).await.unwrap();
    loop {
        match timeout(DEADLINE, stream.next()).await.expect("no answer").unwrap().unwrap() {
            Message::Text(text) => {
                let heard: Value = serde_json::from_str(&text).unwrap();
                if heard.get("sequence_number").is_none() {
                    return heard;
                }
            }
            Message::Close(frame) => panic!("closed: {frame:?}"),
            _ => {}
        }
    }
}

/// With which code a connection is closed.
async fn end(stream: &mut Stream) -> Option<CloseCode> {
    loop {
        match timeout(DEADLINE, stream.next()).await.expect("it is not closed")? {
            Ok(Message::Close(frame)) => return Some(frame?.code),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

fn fields(answer: &Value) -> Vec<&str> {
    let errors = answer["error"]["errors"].as_array().unwrap();
    errors.iter().map(|error| error["field"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_wrong_with_a_frame_is_answered_as_over_http() {
    let app = App::start().await;
    let (mut stream, _stop) = connect(&app).await;
    for (frame, status, code) in [
        ("no json", 400, "invalid_json"),
        ("", 400, "invalid_json"),
        ("{\"type\": ", 400, "invalid_json"),
        ("[1]", 422, "invalid_request"),
    ] {
        let answer = ask(&mut stream, Message::text(frame)).await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!(null)), "{frame}");
        assert_eq!((&answer["error"]["status"], &answer["error"]["code"]), (&json!(status), &json!(code)));
    }
    let binary = ask(&mut stream, Message::binary(json!({"type": "ping"}).to_string())).await;
    assert_eq!(binary["error"]["code"], "unsupported_media_type");
    assert!(binary["error"]["detail"].as_str().unwrap().contains("binary"), "{binary}");
    let pong = ask(&mut stream, Message::text(r#"{"id": 1, "type": "ping"}"#)).await;
    assert_eq!(pong, json!({"id": 1, "type": "ok"}), "the connection goes on");
}

#[tokio::test]
async fn every_answer_has_the_id_of_its_request() {
    let app = App::start().await;
    let (mut stream, _stop) = connect(&app).await;
    for frame in [json!({"id": "a"}), json!({"id": "z", "type": 5}), json!({"id": ["x"], "type": "sing"})] {
        let answer = ask(&mut stream, Message::text(frame.to_string())).await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &frame["id"]));
        assert_eq!(fields(&answer), ["type"], "{frame}");
    }
}

#[tokio::test]
async fn every_bad_member_of_a_frame_is_named() {
    let app = App::start().await;
    let (mut stream, _stop) = connect(&app).await;
    for (frame, bad) in [
        (
            json!({"type": "message.create", "session_id": "bad", "content": "", "foo": 1, "stream": "x"}),
            vec!["session_id", "stream", "content", "foo"],
        ),
        (json!({"type": "message.create", "top_k": 0}), vec!["session_id", "content", "top_k"]),
        (json!({"type": "response.cancel", "response_id": 7, "x": 1}), vec!["response_id", "x"]),
        (json!({"type": "subscribe", "starting_after": -1}), vec!["response_id", "starting_after"]),
    ] {
        let answer = ask(&mut stream, Message::text(frame.to_string())).await;
        assert_eq!(answer["error"]["status"], 422, "{frame}");
        assert_eq!(fields(&answer), bad, "{frame}");
    }
}

#[tokio::test]
async fn a_turn_is_accepted_over_a_socket() {
    let app = App::start().await;
    let session = app.session().await;
    let (mut stream, _stop) = connect(&app).await;
    let id = session.rsplit('/').next().unwrap();
    let frame =
        json!({"id": 7, "type": "message.create", "session_id": id, "content": "你好", "stream": true});
    let first = ask(&mut stream, Message::text(frame.to_string())).await;
    assert_eq!(first["id"], 7, "{first}");
    assert_eq!((&first["type"], &first["message"]["content"]), (&json!("ok"), &json!("你好")), "{first}");
}

#[tokio::test]
async fn a_frame_that_is_too_large_ends_the_connection_with_its_code() {
    let identity = Identity { secret_key: "k".repeat(32), required: true };
    for options in [ApiOptions::default(), ApiOptions { identity, ..ApiOptions::default() }] {
        let app = App::with(options).await;
        let (mut stream, _stop) = connect(&app).await;
        // Nothing of it need be read before it is refused.
        let sent = stream.send(Message::text("x".repeat(LARGEST + 1))).await;
        assert!(sent.is_ok(), "{sent:?}");
        assert_eq!(end(&mut stream).await, Some(CloseCode::Size));
    }
}

#[tokio::test]
async fn bytes_that_are_no_frame_end_the_connection_with_their_code() {
    let (no_mask, no_text) = ([0x81, 2, b'h', b'i'], [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]);
    for (bytes, code) in [(&no_mask[..], CloseCode::Protocol), (&no_text[..], CloseCode::Invalid)] {
        let app = App::start().await;
        let (mut stream, _stop) = connect(&app).await;
        let MaybeTlsStream::Plain(raw) = stream.get_mut() else { panic!("not plain") };
        raw.write_all(bytes).await.unwrap();
        assert_eq!(end(&mut stream).await, Some(code), "{bytes:?}");
    }
}

#[tokio::test]
async fn every_bad_member_of_the_first_frame_is_named() {
    let identity = Identity { secret_key: "k".repeat(32), required: true };
    let options = ApiOptions { identity, ..ApiOptions::default() };
    for (frame, bad) in [
        (json!({"type": "auth"}), vec!["token"]),
        (json!({"type": "auth", "token": 1, "foo": 1}), vec!["token", "foo"]),
        (json!({"type": "auth", "token": "key", "foo": 1}), vec!["foo"]),
    ] {
        let app = App::with(options.clone()).await;
        let (mut stream, _stop) = connect(&app).await;
        let answer = ask(&mut stream, Message::text(frame.to_string())).await;
        assert_eq!(fields(&answer), bad, "{frame}");
        assert_eq!(end(&mut stream).await, Some(CloseCode::Policy));
    }
}

#[tokio::test]
async fn who_asks_for_a_page_is_told_what_is_here() {
    let app = App::start().await;
    let reply = app.get("/api/v1/ws").await;
    reply.problem(426, "invalid_request");
    assert_eq!((&*reply.header("upgrade"), &*reply.header("sec-websocket-version")), ("websocket", "13"));
}
