use crate::{
    app::App,
    form::{BOUNDARY, Form, post},
};
use axum::{body::Body, http::Request};
use bytes::Bytes;
use chat_api::ApiOptions;
use futures::{StreamExt, stream};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

const LIMIT: u64 = 3 * 1024 * 1024;

async fn small() -> (App, String) {
    let app = App::with(ApiOptions { max_upload_bytes: LIMIT, ..ApiOptions::default() }).await;
    let path = format!("{}/documents", app.collection("c").await);
    (app, path)
}

/// Nothing was recorded, and no file is left.
async fn nothing_left(app: &App) {
    assert_eq!(app.files().await, 0, "files are left");
    assert!(app.get("/api/v1/documents").await.json()["data"].as_array().unwrap().is_empty());
    assert!(app.get("/api/v1/jobs").await.json()["data"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn an_empty_file_is_refused() {
    let (app, path) = small().await;
    let form = Form::default().file("good.txt", b"content").file("空.txt", b"").file("", b"");
    let reply = app.send(form.post(&path)).await;
    assert_eq!(reply.problem(422, "invalid_request"), ["file[1]", "file[2]"]);
    assert_eq!(reply.json()["errors"][0]["message"], "is empty (空.txt)");
    let alone = app.send(Form::default().file("空.txt", b"").post(&path)).await;
    assert_eq!(alone.problem(422, "invalid_request"), ["file"]);
    nothing_left(&app).await;
}

#[tokio::test]
async fn one_byte_too_many_is_413() {
    let (app, path) = small().await;
    let form = Form::default().file("big.bin", &vec![7; LIMIT as usize + 1]);
    app.send(form.post(&path)).await.problem(413, "payload_too_large");
    nothing_left(&app).await;
    app.send(Form::default().file("fits.bin", &vec![7; LIMIT as usize]).post(&path)).await.is(202);
    assert_eq!(app.files().await, 1);
}

#[tokio::test]
async fn too_many_bytes_are_refused_while_they_are_read() {
    let (app, path) = small().await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let head = Form::default().part(b"name=\"file\"; filename=\"endless\"", b"").open();
    // The content never ends: whoever waits for its end waits for ever.
    let endless = stream::repeat_with(move || {
        counter.fetch_add(64 * 1024, Relaxed);
        Ok::<_, std::io::Error>(Bytes::from(vec![0; 64 * 1024]))
    });
    let body = stream::iter([Ok(Bytes::from(head[..head.len() - 2].to_vec()))]).chain(endless);
    app.send(post(&path, Body::from_stream(body))).await.problem(413, "payload_too_large");
    // What is thrown away afterwards, so that the client sees the answer, is bounded too.
    assert!(sent.load(Relaxed) < 32 * 1024 * 1024, "{}", sent.load(Relaxed));
    nothing_left(&app).await;
}

#[tokio::test]
async fn what_says_that_it_is_too_large_is_not_read() {
    let (app, path) = small().await;
    let mut request = post(&path, Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>()));
    request.headers_mut().insert("content-length", (100 * LIMIT).into());
    request.headers_mut().insert("expect", "100-continue".parse().unwrap());
    app.send(request).await.problem(413, "payload_too_large");
    nothing_left(&app).await;
}

#[tokio::test]
async fn broken_forms_leave_nothing() {
    let (app, path) = small().await;
    let whole = Form::default().file("a.txt", &vec![b'x'; 200_000]).bytes();
    let cuts = [0, 10, 40, 90, 130, 1_000, 150_000, whole.len() - 70, whole.len() - 5];
    for cut in cuts {
        let reply = app.send(post(&path, Body::from(whole[..cut].to_vec()))).await;
        reply.problem(400, "invalid_request");
        nothing_left(&app).await;
    }
    let broken = [
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"\r\nno colon\r\n\r\nx\r\n--{BOUNDARY}--\r\n"
        ),
        format!("--{BOUNDARY}garbage\r\n\r\nx\r\n--{BOUNDARY}--\r\n"),
        "nothing like a form".to_owned(),
    ];
    for body in broken {
        app.send(post(&path, Body::from(body.clone()))).await.problem(400, "invalid_request");
        nothing_left(&app).await;
    }
    let unbounded =
        Request::post(&path).header("content-type", "multipart/form-data").body(Body::from(whole)).unwrap();
    app.send(unbounded).await.problem(400, "invalid_request");
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_nothing() {
    let (app, path) = small().await;
    let head = Form::default().part(b"name=\"file\"; filename=\"a.txt\"", &vec![b'x'; 300_000]).open();
    let pieces = vec![Ok(Bytes::from(head)), Err(std::io::Error::other("reset"))];
    app.send(post(&path, Body::from_stream(stream::iter(pieces)))).await.problem(400, "invalid_request");
    nothing_left(&app).await;
    // A client that hangs up drops the request while it is read.
    let head = Form::default().part(b"name=\"file\"; filename=\"a.txt\"", &vec![b'x'; 300_000]).open();
    let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(head))]).chain(stream::pending());
    let reading = app.open(post(&path, Body::from_stream(body)));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(100), reading).await.is_err());
    nothing_left(&app).await;
}

#[tokio::test]
async fn a_header_without_end_is_refused() {
    let (app, path) = small().await;
    let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"");
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let name = stream::repeat_with(move || {
        counter.fetch_add(8 * 1024, Relaxed);
        Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 8 * 1024]))
    });
    let body = stream::iter([Ok(Bytes::from(head))]).chain(name);
    app.send(post(&path, Body::from_stream(body))).await.problem(400, "invalid_request");
    assert!(sent.load(Relaxed) < 256 * 1024, "{}", sent.load(Relaxed));
    nothing_left(&app).await;
}

#[tokio::test]
async fn wild_names_become_tame() {
    let (app, path) = small().await;
    let long = format!("{}.txt", "长".repeat(300));
    let names: [(&[u8], &str); 5] = [
        (b"../../etc/passwd", "passwd"),
        (b"C:\\secrets\\a.txt", "a.txt"),
        (b"..", "document"),
        (b"\xca\xd6\xb2\xe1.txt", "手册.txt"),
        (long.as_bytes(), &long["长".len() * 217..]),
    ];
    for (at, (given, kept)) in names.into_iter().enumerate() {
        let head = [b"name=\"file\"; filename=\"", given, b"\""].concat();
        let form = Form::default().part(&head, format!("content {at}").as_bytes());
        let documents = app.send(form.post(&path)).await.is(202).json();
        let name = documents["documents"][0]["filename"].as_str().unwrap().to_owned();
        assert!(name.len() <= 255, "{name}");
        if at == 4 {
            assert!(name.starts_with("长长") && name.ends_with("长.txt"), "{name}");
        } else {
            assert_eq!(name, kept);
        }
    }
    let nul = app.post(&path, json!({"text": "nul", "filename": "a\u{0}b\u{1b}.txt"})).await;
    assert_eq!(nul.problem(422, "invalid_request"), ["filename"]);
}

#[tokio::test]
async fn every_bad_field_is_named() {
    let (app, path) = small().await;
    let form = Form::default()
        .text("colour", "red")
        .file("a.txt", b"x")
        .file("b.txt", b"")
        .text("metadata", "{nonsense")
        .text("charset", "klingon");
    let named = app.send(form.post(&path)).await.problem(422, "invalid_request");
    assert_eq!(named, ["colour", "file[1]", "metadata", "charset"]);
    nothing_left(&app).await;
    let none = Form::default().text("metadata", "{}");
    assert_eq!(app.send(none.post(&path)).await.problem(422, "invalid_request"), ["file"]);
    let twice = Form::default().file("a.txt", b"x").text("metadata", r#"{"a": 1, "a": 2}"#);
    assert_eq!(app.send(twice.post(&path)).await.problem(422, "invalid_request"), ["metadata"]);
    let list = Form::default().file("a.txt", b"x").text("metadata", "[1]");
    assert_eq!(app.send(list.post(&path)).await.problem(422, "invalid_request"), ["metadata"]);
    nothing_left(&app).await;
}

#[tokio::test]
async fn a_character_set_that_is_not_known_is_refused_wherever_it_is_named() {
    let (app, path) = small().await;
    let part =
        |label: &str| format!("name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain; {label}");
    let form = Form::default().file("good.txt", b"x").part(part("charset=nope").as_bytes(), b"y");
    assert_eq!(app.send(form.post(&path)).await.problem(422, "invalid_request"), ["file[1]"]);
    let field = Form::default().file("good.txt", b"x").text("charset", "nope");
    assert_eq!(app.send(field.post(&path)).await.problem(422, "invalid_request"), ["charset"]);
    nothing_left(&app).await;
    let known = Form::default().part(part("charset=\"gbk\"").as_bytes(), b"y");
    let made = app.send(known.post(&path)).await.is(202).json();
    let put = |label: &str| {
        let path = format!("/api/v1/documents/{}/content", made["documents"][0]["id"].as_str().unwrap());
        let request = Request::put(path).header("content-type", format!("text/plain; charset={label}"));
        app.send(request.body(Body::from("other")).unwrap())
    };
    assert_eq!(put("nope").await.problem(422, "invalid_request"), ["Content-Type"]);
    put("utf-8").await.is(202);
}

#[tokio::test]
async fn other_bodies_and_other_collections() {
    let (app, path) = small().await;
    let plain = Request::post(&path).header("content-type", "text/plain").body(Body::from("x")).unwrap();
    let refused = app.send(plain).await;
    refused.problem(415, "unsupported_media_type");
    for kind in ["multipart/form-data", "application/json"] {
        assert!(refused.text().contains(kind), "{kind}: {}", refused.text());
    }
    app.send(Request::post(&path).body(Body::from("x")).unwrap())
        .await
        .problem(415, "unsupported_media_type");
    let unknown = "/api/v1/collections/col_019aa0c8-6f30-7aa0-b5a0-0a4f4a1b2c3d/documents";
    app.send(Form::default().file("a", b"x").post(unknown)).await.problem(404, "not_found");
    nothing_left(&app).await;
}
