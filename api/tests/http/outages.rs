use crate::{app::App, form::Form};
use serde_json::json;

#[tokio::test]
async fn without_the_database_everything_is_503_and_nothing_is_left() {
    let app = App::start().await;
    let session = app.session().await;
    let documents = format!("{}/documents", app.collection("c").await);
    app.store.close().await;
    let replies = [
        app.get("/api/v1/sessions").await,
        app.post(&format!("{session}/messages"), json!({"content": "x"})).await,
        app.send(Form::default().file("a.txt", b"x").post(&documents)).await,
    ];
    for reply in replies {
        assert!(reply.problem(503, "dependency_unavailable").is_empty());
        assert!(reply.header("retry-after").parse::<u64>().unwrap() >= 1);
        let text = reply.text().to_lowercase();
        assert!(!text.contains("sql") && !text.contains("pool") && !text.contains("chat.db"), "{text}");
    }
    assert_eq!(app.files().await, 0);
    let ready = app.get("/ready").await.is(503).json();
    assert_eq!(
        (&ready["status"], &ready["checks"]["store"]["state"]),
        (&json!("unavailable"), &json!("down"))
    );
    app.get("/health").await.is(200);
}

#[tokio::test]
async fn a_file_that_cannot_be_stored_is_no_document() {
    let app = App::start().await;
    let documents = format!("{}/documents", app.collection("c").await);
    // The folder of uploads cannot be made: a file is in its place.
    std::fs::write(app.folder.path().join("blobs/uploads"), b"in the way").unwrap();
    let reply = app.send(Form::default().file("a.txt", &vec![1; 500_000]).post(&documents)).await;
    assert!(reply.status >= 500, "{}", reply.text());
    assert!(!reply.text().contains("blobs/uploads"));
    assert!(app.get("/api/v1/documents").await.json()["data"].as_array().unwrap().is_empty());
}
