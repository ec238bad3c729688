use crate::{
    app::{App, Frames, Reply},
    form::Form,
};
use axum::{body::Body, http::Request};
use bytes::Bytes;
use chat_core::{Change, Chunk, ChunkId, DocumentId, DocumentStatus, Failure, VersionId};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

async fn text(app: &App, text: &str) -> (String, Value) {
    let collection = app.collection(text).await;
    let body = json!({"text": text, "filename": "说明 1.md"});
    let document =
        app.post(&format!("{collection}/documents"), body).await.is(202).json()["documents"][0].clone();
    (format!("/api/v1/documents/{}", document["id"].as_str().unwrap()), document)
}

async fn version(app: &App, document: &Value) -> VersionId {
    let id: DocumentId = document["id"].as_str().unwrap().parse().unwrap();
    app.state.ports.store.document(&"default".into(), id).await.unwrap().version_id
}

/// Makes a document ready, with so many passages.
async fn ready(app: &App, document: &Value, passages: u32) {
    let version = version(app, document).await;
    let chunk = |ordinal| Chunk {
        id: ChunkId::of(version, ordinal, "m"),
        ordinal,
        title: None,
        text: format!("passage {ordinal}"),
        start: u64::from(ordinal) * 10,
        end: u64::from(ordinal) * 10 + 9,
        tokens: 2,
    };
    let stage = |stage, done| Change::VersionStage { version, stage, done, total: 2 };
    let changes = vec![
        stage(DocumentStatus::Parsing, 0),
        Change::InsertChunks { version, chunks: (0..passages).map(chunk).collect() },
        stage(DocumentStatus::Chunking, 2),
        Change::FlipVersion(version),
    ];
    app.state.dispatcher.record(changes).await.unwrap();
}

async fn ranged(app: &App, path: &str, range: &str) -> Reply {
    app.send(Request::get(path).header("range", range).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_original_bytes_come_back() {
    let app = App::start().await;
    let (path, document) = text(&app, "0123456789").await;
    let content = format!("{path}/content");
    let whole = app.get(&content).await.is(200);
    assert_eq!((whole.text(), whole.header("content-length")), ("0123456789".into(), "10".into()));
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    let disposition = whole.header("content-disposition");
    assert_eq!(disposition, "attachment; filename=\"___1.md\"; filename*=UTF-8''%E8%AF%B4%E6%98%8E%201.md");
    let tag = whole.header("etag");
    assert_eq!(tag, format!("\"{}\"", document["sha256"].as_str().unwrap()));
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", W/{tag}"), "*".into()] {
        let request = Request::get(&content).header("if-none-match", known).body(Body::empty()).unwrap();
        app.send(request).await.is(304);
    }
    let other = Request::get(&content).header("if-none-match", "W/\"other\"").body(Body::empty()).unwrap();
    app.send(other).await.is(200);
    let part = ranged(&app, &content, "bytes=2-4").await.is(206);
    assert_eq!((part.text(), part.header("content-range")), ("234".into(), "bytes 2-4/10".into()));
    assert_eq!(ranged(&app, &content, "bytes=-3").await.is(206).text(), "789");
    let beyond = ranged(&app, &content, "bytes=10-").await;
    beyond.problem(416, "invalid_request");
    assert_eq!(beyond.header("content-range"), "bytes */10");
    assert_eq!(ranged(&app, &content, "bytes=0-1,4-5").await.is(200).text(), "0123456789");
    let bad = app.get(&format!("{content}?format=pdf")).await;
    assert_eq!(bad.problem(422, "invalid_request"), ["format"]);
}

#[tokio::test]
async fn the_text_that_passages_point_into() {
    let app = App::start().await;
    let (path, document) = text(&app, "text").await;
    app.get(&format!("{path}/content?format=text")).await.problem(404, "not_found");
    ready(&app, &document, 1).await;
    let key = format!("text/default/{}", version(&app, &document).await);
    let bytes = stream::once(async { Ok(Bytes::from("正文")) }).boxed();
    app.state.ports.blobs.put(&key, bytes).await.unwrap();
    let text = app.get(&format!("{path}/content?format=text")).await.is(200);
    assert_eq!(
        (text.text(), text.header("content-type")),
        ("正文".into(), "text/plain; charset=utf-8".into())
    );
}

#[tokio::test]
async fn passages_come_in_pages() {
    let app = App::start().await;
    let (path, document) = text(&app, "text").await;
    assert!(app.get(&format!("{path}/chunks")).await.is(200).json()["data"].as_array().unwrap().is_empty());
    ready(&app, &document, 5).await;
    let page = app.get(&format!("{path}/chunks?limit=2")).await.is(200).json();
    let ordinals = |page: &Value| -> Vec<u64> {
        page["data"].as_array().unwrap().iter().map(|chunk| chunk["ordinal"].as_u64().unwrap()).collect()
    };
    assert_eq!((ordinals(&page), &page["has_more"]), (vec![0, 1], &json!(true)));
    let last = page["last_id"].as_str().unwrap();
    let next = app.get(&format!("{path}/chunks?after={last}")).await.json();
    assert_eq!((ordinals(&next), &next["has_more"]), (vec![2, 3, 4], &json!(false)));
    let back = app.get(&format!("{path}/chunks?order=desc&limit=2")).await.json();
    assert_eq!(ordinals(&back), [4, 3]);
    let end = next["last_id"].as_str().unwrap();
    let back = app.get(&format!("{path}/chunks?limit=2&before={end}")).await.json();
    assert_eq!((ordinals(&back), &back["has_more"]), (vec![2, 3], &json!(true)));
    for side in ["after", "before"] {
        let unknown = format!("{path}/chunks?{side}=chk_019aa0c8-6f30-7aa0-b5a0-0a4f4a1b2c3d");
        assert_eq!(app.get(&unknown).await.problem(422, "invalid_request"), [side]);
    }
}

#[tokio::test]
async fn a_document_tells_its_stages() {
    let app = App::start().await;
    let (path, document) = text(&app, "text").await;
    let request = || Request::get(format!("{path}/events")).body(Body::empty()).unwrap();
    let live = Frames::of(app.open(request()).await);
    ready(&app, &document, 1).await;
    let live = live.rest().await;
    let names: Vec<_> = live.iter().map(|frame| frame.event.as_str()).collect();
    assert_eq!(names, ["document.stage", "document.stage", "document.completed"]);
    assert_eq!((&live[0].data["stage"], &live[0].data["total"]), (&json!("parsing"), &json!(2)));
    assert_eq!(Frames::of(app.open(request()).await).rest().await, live);
    let ready = app.get("/api/v1/documents?status=ready").await.json();
    assert_eq!(ready["data"][0]["id"], document["id"]);
    assert_eq!(
        (&ready["data"][0]["chunk_count"], &ready["data"][0]["searchable"]),
        (&json!(1), &json!(true))
    );
}

#[tokio::test]
async fn who_resumes_hears_all_of_the_next_version() {
    let app = App::start().await;
    let (path, document) = text(&app, "text").await;
    ready(&app, &document, 1).await;
    let read = async |after: u64| {
        let request = Request::get(format!("{path}/events")).header("last-event-id", after.to_string());
        Frames::of(app.open(request.body(Body::empty()).unwrap()).await)
    };
    let first = read(0).await.rest().await;
    let last = first.last().unwrap().id;
    app.post(&format!("{path}/reindex"), json!({})).await.is(202);
    let resumed = read(last).await;
    ready(&app, &document, 1).await;
    let second = resumed.rest().await;
    assert!(second[0].id > last, "one number would have two contents");
    let names: Vec<_> = second.iter().map(|frame| frame.event.as_str()).collect();
    assert_eq!(names, ["document.stage", "document.stage", "document.completed"]);
    assert_eq!(read(0).await.rest().await, second);
    assert_eq!(read(last).await.rest().await, second);
    assert_eq!(read(second[0].id).await.rest().await, second[1..]);
}

#[tokio::test]
async fn new_content_is_a_new_version() {
    let app = App::start().await;
    let (path, document) = text(&app, "old").await;
    ready(&app, &document, 1).await;
    let put = |body: Body, media_type: &'static str| {
        let request =
            Request::put(format!("{path}/content?filename=new.txt")).header("content-type", media_type);
        app.send(request.body(body).unwrap())
    };
    let replaced = put(Body::from("new"), "text/plain; charset=gbk").await.is(202).json();
    assert_eq!((&replaced["version"], &replaced["status"]), (&json!(2), &json!("queued")));
    assert_eq!((&replaced["filename"], &replaced["searchable"]), (&json!("说明 1.md"), &json!(true)));
    assert_eq!(app.get(&path).await.json(), replaced);
    assert_eq!(app.get(&format!("{path}/content")).await.text(), "old", "the old version answers");
    let empty = put(Body::empty(), "text/plain").await;
    assert_eq!(empty.problem(422, "invalid_request"), ["body"]);
    let form = Form::default().file("form.txt", b"newer");
    let mut request = form.post(&format!("{path}/content"));
    *request.method_mut() = axum::http::Method::PUT;
    let third = app.send(request).await.is(202).json();
    assert_eq!((&third["version"], &third["sha256"]), (&json!(3), &document["sha256"]));
    let superseded = app.get(&format!("/api/v1/jobs/{}", replaced["job_id"].as_str().unwrap())).await.json();
    assert_eq!(superseded["cancel_requested"], true, "what is replaced need not be read any more");
    let job = app.post(&format!("{path}/reindex"), json!({})).await.is(202).json();
    ready(&app, &document, 1).await;
    let fourth = app.get(&path).await.json();
    assert_eq!((&fourth["version"], &fourth["job_id"]), (&json!(4), &job["id"]));
    assert_eq!((&fourth["status"], &fourth["filename"]), (&json!("ready"), &json!("form.txt")));
    assert_eq!(app.get(&format!("{path}/content")).await.text(), "newer");
}

#[tokio::test]
async fn a_replacement_that_failed_leaves_the_document_as_it_was() {
    let app = App::start().await;
    let collection = app.collection("c").await;
    let documents = format!("{collection}/documents");
    let upload = || async {
        let form = Form::default().file("旧.txt", b"old");
        app.send(form.post(&documents)).await.is(202).json()["documents"][0].clone()
    };
    let document = upload().await;
    let path = format!("/api/v1/documents/{}", document["id"].as_str().unwrap());
    ready(&app, &document, 1).await;
    let request =
        Request::put(format!("{path}/content?filename=new.png")).header("content-type", "image/png");
    app.send(request.body(Body::from("\u{89}PNG")).unwrap()).await.is(202);
    let error = Some(Failure { code: "invalid_document".into(), message: "It is a picture.".into() });
    let version = version(&app, &document).await;
    let failed = Change::EndVersion { version, status: DocumentStatus::Failed, error };
    app.state.dispatcher.record(vec![failed]).await.unwrap();
    let shown = app.get(&path).await.json();
    for member in ["filename", "media_type", "bytes", "sha256"] {
        assert_eq!(shown[member], document[member], "{member}");
    }
    assert_eq!((&shown["status"], &shown["searchable"]), (&json!("failed"), &json!(true)));
    assert_eq!(shown["error"]["code"], "invalid_document");
    assert_eq!(app.get("/api/v1/documents?status=failed").await.json()["data"][0], shown);
    let content = app.get(&format!("{path}/content")).await;
    assert_eq!((content.text(), content.header("content-type")), ("old".into(), "text/plain".into()));
    assert_eq!(upload().await["duplicate_of"], document["id"]);
}

#[tokio::test]
async fn content_of_another_document_is_a_conflict() {
    let app = App::start().await;
    let path = format!("{}/documents", app.collection("c").await);
    let form = Form::default().file("a.txt", b"one").file("b.txt", b"two");
    let documents = app.send(form.post(&path)).await.json();
    let second = documents["documents"][1]["id"].as_str().unwrap();
    let request =
        Request::put(format!("/api/v1/documents/{second}/content")).body(Body::from("one")).unwrap();
    app.send(request).await.problem(409, "conflict");
    assert_eq!(app.files().await, 2, "what was refused leaves no file");
}

#[tokio::test]
async fn a_document_is_read_again() {
    let app = App::start().await;
    let (path, document) = text(&app, "again").await;
    ready(&app, &document, 1).await;
    let job = app.post(&format!("{path}/reindex"), json!({})).await.is(202).json();
    assert_eq!((&job["object"], &job["kind"]), (&json!("job"), &json!("ingest_document.v1")));
    let now = app.get(&path).await.json();
    assert_eq!((&now["version"], &now["job_id"], &now["searchable"]), (&json!(2), &job["id"], &json!(true)));
    assert_eq!(app.files().await, 2, "each version has a file of its own");
    let cancelled = app.post(&format!("{path}/cancel"), json!({})).await.is(202).json();
    assert_eq!(cancelled["id"], job["id"]);
    let shown = app.get(&format!("/api/v1/jobs/{}", job["id"].as_str().unwrap())).await.json();
    assert_eq!(shown["cancel_requested"], true);
}

#[tokio::test]
async fn a_deleted_document_is_gone() {
    let app = App::start().await;
    let (path, document) = text(&app, "gone").await;
    app.delete(&path).await.is(204);
    app.get(&path).await.problem(404, "not_found");
    for part in ["content", "chunks", "events"] {
        app.get(&format!("{path}/{part}")).await.problem(404, "not_found");
    }
    app.delete(&path).await.problem(404, "not_found");
    app.post(&format!("{path}/reindex"), json!({})).await.problem(404, "not_found");
    let jobs = app.get(&format!("/api/v1/jobs?document={}", document["id"].as_str().unwrap())).await.json();
    let jobs = jobs["data"].as_array().unwrap().clone();
    assert_eq!(
        (&jobs[0]["kind"], &jobs[0]["cancel_requested"]),
        (&json!("delete_document.v1"), &json!(false))
    );
    assert_eq!(
        (&jobs[1]["kind"], &jobs[1]["cancel_requested"]),
        (&json!("ingest_document.v1"), &json!(true))
    );
}

#[tokio::test]
async fn who_follows_what_is_deleted_is_told_at_once() {
    let app = App::start().await;
    for part in ["document", "collection"] {
        let (path, document) = text(&app, part).await;
        let request = Request::get(format!("{path}/events")).body(Body::empty()).unwrap();
        let reader = Frames::of(app.open(request).await);
        let collection = format!("/api/v1/collections/{}", document["collection_id"].as_str().unwrap());
        app.delete(if part == "document" { &path } else { &collection }).await.is(204);
        let heard = reader.rest().await;
        assert_eq!((heard.len(), heard[0].event.as_str()), (1, "document.cancelled"), "{part}");
        assert_eq!(heard[0].data["document_id"], document["id"]);
    }
}

#[tokio::test]
async fn cancelling_what_has_ended_is_a_conflict() {
    let app = App::start().await;
    let (path, document) = text(&app, "done").await;
    ready(&app, &document, 1).await;
    app.post(&format!("{path}/cancel"), json!({})).await.problem(409, "conflict");
    let bad = app.get("/api/v1/documents?status=done&collection=x").await;
    assert_eq!(bad.problem(422, "invalid_request"), ["collection", "status"]);
}

#[tokio::test]
async fn files_on_disk_have_no_address_of_their_own() {
    let presigned_downloads = Some(std::time::Duration::from_mins(1));
    let app =
        App::with(chat_api::ApiOptions { presigned_downloads, ..chat_api::ApiOptions::default() }).await;
    let (path, _) = text(&app, "0123456789").await;
    let content = format!("{path}/content");
    assert_eq!(app.get(&content).await.is(200).text(), "0123456789");
    assert_eq!(ranged(&app, &content, "bytes=2-4").await.is(206).text(), "234");
}
