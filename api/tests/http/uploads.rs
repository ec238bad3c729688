use crate::{app::App, form::Form};
use chat_core::{Change, DocumentStatus, VersionId};
use serde_json::{Value, json};

async fn upload(app: &App, collection: &str, form: Form) -> Vec<Value> {
    let reply = app.send(form.post(&format!("{collection}/documents"))).await.is(202);
    reply.json()["documents"].as_array().unwrap().clone()
}

/// Gives a document's newest version up, as its job would.
async fn give_up(app: &App, document: &Value) {
    let store = &app.state.ports.store;
    let id = document["id"].as_str().unwrap().parse().unwrap();
    let version: VersionId = store.document(&"default".into(), id).await.unwrap().version_id;
    let end = Change::EndVersion { version, status: DocumentStatus::Failed, error: None };
    app.state.dispatcher.record(vec![end]).await.unwrap();
}

#[tokio::test]
async fn files_become_documents_with_jobs() {
    let app = App::start().await;
    let collection = app.collection("手册").await;
    let form = Form::default()
        .text("charset", "gbk")
        .file("假期.md", "# 年假\n十五天".as_bytes())
        .file("b.txt", b"hello")
        .text("metadata", "{\"team\": \"hr\"}");
    let documents = upload(&app, &collection, form).await;
    assert_eq!(documents.len(), 2);
    let first = &documents[0];
    assert_eq!((&first["filename"], &first["media_type"]), (&json!("假期.md"), &json!("text/markdown")));
    assert_eq!((&first["status"], &first["version"]), (&json!("queued"), &json!(1)));
    assert_eq!(first["metadata"], json!({"team": "hr"}));
    assert_eq!(first["sha256"].as_str().unwrap().len(), 64);
    for document in &documents {
        let id = document["id"].as_str().unwrap();
        assert_eq!(&app.get(&format!("/api/v1/documents/{id}")).await.is(200).json(), document);
        let jobs = app.get(&format!("/api/v1/jobs?document={id}")).await.json();
        assert_eq!(
            (&jobs["data"][0]["id"], &jobs["data"][0]["lane"]),
            (&document["job_id"], &json!("ingest"))
        );
    }
    let id = first["id"].as_str().unwrap().parse().unwrap();
    let kept = app.state.ports.store.document(&"default".into(), id).await.unwrap();
    assert_eq!(kept.upload.charset.as_deref(), Some("GBK"));
    assert_eq!(app.files().await, 2);
}

#[tokio::test]
async fn the_same_bytes_are_one_document() {
    let app = App::start().await;
    let (here, there) = (app.collection("here").await, app.collection("there").await);
    let form = || Form::default().file("a.txt", b"same").file("b.txt", b"same");
    let first = upload(&app, &here, form()).await;
    assert_eq!((&first[0]["id"], &first[0]["id"]), (&first[1]["id"], &first[1]["duplicate_of"]));
    assert!(first[0].get("duplicate_of").is_none());
    let second = upload(&app, &here, form()).await;
    assert_eq!((&second[0]["duplicate_of"], &second[0]["job_id"]), (&first[0]["id"], &first[0]["job_id"]));
    assert_eq!(app.files().await, 1, "a duplicate leaves no file");
    assert_ne!(upload(&app, &there, form()).await[0]["id"], first[0]["id"]);
}

#[tokio::test]
async fn uploads_at_the_same_time_are_one_document() {
    let app = App::start().await;
    let collection = app.collection("c").await;
    let all = futures::future::join_all((0..6).map(|_| {
        let form = Form::default().file("a.txt", b"race");
        upload(&app, &collection, form)
    }));
    let documents = all.await;
    assert!(documents.iter().all(|answer| answer[0]["id"] == documents[0][0]["id"]), "{documents:?}");
    assert_eq!(app.files().await, 1);
}

#[tokio::test]
async fn the_same_bytes_are_tried_again_if_they_failed() {
    let app = App::start().await;
    let collection = app.collection("c").await;
    let form = || Form::default().file("a.txt", b"bytes");
    let first = upload(&app, &collection, form()).await.remove(0);
    give_up(&app, &first).await;
    let again = upload(&app, &collection, form()).await.remove(0);
    assert_eq!((&again["id"], &again["duplicate_of"]), (&first["id"], &first["id"]));
    assert_eq!((&again["version"], &again["status"]), (&json!(2), &json!("queued")));
    assert_ne!(again["job_id"], first["job_id"]);
    // Another character set is another reading.
    let other = upload(&app, &collection, form().text("charset", "big5")).await.remove(0);
    assert_eq!(other["version"], 3);
}

#[tokio::test]
async fn a_text_can_be_uploaded_as_json() {
    let app = App::start().await;
    let path = format!("{}/documents", app.collection("c").await);
    let body = json!({"text": "十五天", "filename": "../notes", "metadata": {"a": 1}});
    let document = app.post(&path, body).await.is(202).json()["documents"][0].clone();
    assert_eq!((&document["filename"], &document["media_type"]), (&json!("notes"), &json!("text/plain")));
    let content =
        app.get(&format!("/api/v1/documents/{}/content", document["id"].as_str().unwrap())).await.is(200);
    assert_eq!(content.text(), "十五天");
    let bad = app.post(&path, json!({"text": "", "filename": 3, "metadata": []})).await;
    assert_eq!(bad.problem(422, "invalid_request"), ["text", "filename", "metadata"]);
}

#[tokio::test]
async fn an_upload_takes_a_key() {
    let app = App::start().await;
    let path = format!("{}/documents", app.collection("c").await);
    let send = |content: &'static [u8]| {
        let mut request = Form::default().file("a.txt", content).post(&path);
        request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
        app.send(request)
    };
    let first = send(b"one").await.is(202);
    let second = send(b"one").await.is(202);
    assert_eq!((second.header("idempotent-replayed"), second.json()), ("true".to_owned(), first.json()));
    send(b"two").await.problem(409, "idempotency_conflict");
    assert_eq!(app.files().await, 1);
}
