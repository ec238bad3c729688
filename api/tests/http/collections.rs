use crate::app::App;
use serde_json::json;

#[tokio::test]
async fn a_collection_lives() {
    let app = App::start().await;
    let made = app.post("/api/v1/collections", json!({"name": "手册", "metadata": {"a": 1}})).await.is(201);
    let path = made.header("location");
    let collection = made.json();
    assert_eq!((&collection["object"], &collection["document_count"]), (&json!("collection"), &json!(0)));
    assert_eq!(app.get(&path).await.is(200).json(), collection);
    app.post(&format!("{path}/documents"), json!({"text": "abc", "filename": "a.txt"})).await.is(202);
    let counted = app.get(&path).await.json();
    assert_eq!((&counted["document_count"], &counted["bytes"]), (&json!(1), &json!(3)));
    assert_eq!(app.patch(&path, json!({"name": "新手册"})).await.is(200).json()["name"], "新手册");
    assert_eq!(app.get("/api/v1/collections").await.json()["data"][0]["name"], "新手册");

    app.delete(&path).await.is(204);
    app.get(&path).await.problem(404, "not_found");
    app.delete(&path).await.problem(404, "not_found");
    assert!(app.get("/api/v1/documents").await.json()["data"].as_array().unwrap().is_empty());
    let jobs = app.get("/api/v1/jobs?kind=delete_collection.v1").await.json();
    assert_eq!(jobs["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn names_are_one_of_a_kind() {
    let app = App::start().await;
    app.collection("a").await;
    let other = app.collection("b").await;
    app.post("/api/v1/collections", json!({"name": "a"})).await.problem(409, "conflict");
    app.patch(&other, json!({"name": "a"})).await.problem(409, "conflict");
    app.delete(&other).await.is(204);
    app.collection("b").await;
}
