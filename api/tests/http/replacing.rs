//! Files that go while they are asked for.

use crate::app::App;
use async_trait::async_trait;
use axum::{body::Body, http::Request};
use chat_api::{ApiOptions, AppState, router};
use chat_core::{
    Change, DocumentId, PortResult, VersionId,
    ports::{Blobs, ByteStream, Listed, Ports},
};
use futures::stream::BoxStream;
use serde_json::json;
use std::{
    ops::Range,
    sync::{Arc, Mutex},
};

/// The files of an app. The first time that one is looked at, this version takes its place, and it is gone.
struct Replaced {
    app: Ports,
    by: Mutex<Option<VersionId>>,
}

#[async_trait]
impl Blobs for Replaced {
    async fn size(&self, key: &str) -> PortResult<u64> {
        let by = self.by.lock().unwrap().take();
        if let Some(version) = by {
            self.app.dispatcher().record(vec![Change::FlipVersion(version)]).await?;
            self.delete(key).await?;
        }
        self.app.blobs.size(key).await
    }
    async fn put(&self, key: &str, bytes: ByteStream) -> PortResult<u64> {
        self.app.blobs.put(key, bytes).await
    }
    async fn get(&self, key: &str, range: Option<Range<u64>>) -> PortResult<ByteStream> {
        self.app.blobs.get(key, range).await
    }
    async fn delete(&self, key: &str) -> PortResult<()> {
        self.app.blobs.delete(key).await
    }
    fn list(&self, segment: &str) -> BoxStream<'static, PortResult<Listed>> {
        self.app.blobs.list(segment)
    }
    async fn ping(&self) -> PortResult<()> {
        self.app.blobs.ping().await
    }
}

#[tokio::test]
async fn who_asks_while_a_version_takes_its_place_gets_the_one_or_the_other() {
    let app = App::start().await;
    let documents = format!("{}/documents", app.collection("c").await);
    let uploaded = app.post(&documents, json!({"text": "old", "filename": "a.txt"})).await.json();
    let id: DocumentId = uploaded["documents"][0]["id"].as_str().unwrap().parse().unwrap();
    let newest = async || app.state.ports.store.document(&"default".into(), id).await.unwrap().version_id;
    app.state.dispatcher.record(vec![Change::FlipVersion(newest().await)]).await.unwrap();
    let content = format!("/api/v1/documents/{id}/content");
    app.send(Request::put(&content).body(Body::from("new")).unwrap()).await.is(202);
    let by = Mutex::new(Some(newest().await));
    let blobs = Arc::new(Replaced { app: app.state.ports.clone(), by });
    let ports = Ports { blobs, ..app.state.ports.clone() };
    let state = AppState::new(ports, ApiOptions::default(), Arc::default());
    let app = App { router: router(state.clone()), state, ..app };
    assert_eq!(app.get(&content).await.is(200).text(), "new");
}
