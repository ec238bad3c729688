//! Rows, index and files that do not agree, and do again afterwards.

use crate::fakes::Rig;
use chat_core::{
    CollectionId, DocumentId, DocumentStatus, Timestamp, VersionId,
    ports::{Clock, Point, SearchMode},
};
use chat_jobs::{JobKind, Reconcile, SearchRequest, choose_model, search};
use serde_json::{Map, Value};

const MODEL: &str = "fake-embedder";

/// A rig that knows its embedding model and one document, and the document's version.
async fn rig() -> (Rig, VersionId) {
    let rig = Rig::new();
    choose_model(&rig.ports()).await.unwrap();
    rig.know("绿茶要用八十度的水").await;
    let version = rig.store.rows(|rows| *rows.versions.keys().next().unwrap());
    (rig, version)
}

/// Compares, runs what is to be put right, and returns what was found.
async fn reconcile(rig: &Rig) -> Value {
    let cx = rig.claim_new(Reconcile {}.job(&rig.tenant));
    rig.run(&cx).await.unwrap();
    let found = rig.store.rows(|rows| rows.jobs[&cx.claim.job].1.result.clone()).unwrap();
    rig.drain().await;
    found
}

fn point(version: VersionId) -> Point {
    Point {
        id: chat_core::ChunkId::of(version, 0, MODEL),
        version,
        document: DocumentId::new(),
        collection: CollectionId::new(),
        keywords: "stray".into(),
        vector: vec![1.0],
    }
}

#[tokio::test]
async fn what_agrees_is_left_alone() {
    let (rig, _) = rig().await;
    let (points, files) = (rig.index.len(), rig.blobs.keys());
    let found = reconcile(&rig).await;
    assert_eq!((&found["rows"], &found["versions"], &found["files"]), (&0.into(), &1.into(), &2.into()));
    assert_eq!((rig.index.len(), rig.blobs.keys()), (points, files));
}

#[tokio::test]
async fn passages_without_a_row_are_removed() {
    let (rig, _) = rig().await;
    let points = rig.index.len();
    rig.index.add(&rig.tenant, MODEL, vec![point(VersionId::new())]);
    assert_eq!(reconcile(&rig).await["stray_versions"], 1);
    assert_eq!(rig.index.len(), points);
}

#[tokio::test]
async fn what_may_be_somebody_elses_is_told_and_left_alone() {
    let (mut rig, _) = rig().await;
    rig.options.owns_stores = false;
    let points = rig.index.len();
    rig.index.add(&rig.tenant, MODEL, vec![point(VersionId::new())]);
    rig.blobs.insert("uploads/acme/nobody", "left behind");
    let found = reconcile(&rig).await;
    assert_eq!((&found["stray_versions"], &found["stray_files"]), (&1.into(), &1.into()));
    assert_eq!(rig.index.len(), points + 1);
    assert!(rig.blobs.keys().contains(&"uploads/acme/nobody".to_owned()));
}

#[tokio::test]
async fn passages_of_a_failed_version_are_removed_and_of_one_on_its_way_are_not() {
    for (status, stays) in [
        (DocumentStatus::Failed, false),
        (DocumentStatus::Cancelled, false),
        (DocumentStatus::Embedding, true),
        (DocumentStatus::Queued, true),
    ] {
        let (rig, _) = rig().await;
        let points = rig.index.len();
        let (version, _) = rig.upload(DocumentId::new(), CollectionId::new(), "something else");
        rig.store.rows(|rows| rows.versions.get_mut(&version).unwrap().status = status);
        rig.index.add(&rig.tenant, MODEL, vec![point(version)]);
        let cx = rig.claim_new(Reconcile {}.job(&rig.tenant));
        rig.run(&cx).await.unwrap();
        let removal = rig.store.rows(|rows| rows.jobs.values().any(|row| row.1.kind == "remove_version.v1"));
        assert_eq!(removal, !stays, "{status:?}");
        if !stays {
            rig.drain().await;
            assert!(rig.index.len() >= points);
        }
    }
}

#[tokio::test]
async fn passages_of_a_deleted_document_are_removed() {
    let (rig, version) = rig().await;
    rig.store.rows(|rows| {
        let document = rows.versions[&version].document;
        rows.hide(document);
    });
    assert_eq!(reconcile(&rig).await["stray_versions"], rig.index.len() as u64 + 1);
    assert_eq!((rig.index.len(), rig.blobs.keys().len()), (0, 0));
}

#[tokio::test]
async fn a_document_that_answers_gets_its_passages_back() {
    let (rig, version) = rig().await;
    let ports = rig.ports();
    ports.index.delete_version(&rig.tenant, version).await.unwrap();
    assert_eq!(reconcile(&rig).await["incomplete_versions"], 1);
    let request = SearchRequest {
        tenant: rig.tenant.clone(),
        query: "绿茶".into(),
        collections: Vec::new(),
        limit: 3,
        mode: SearchMode::Vector,
        filter: Map::new(),
    };
    assert_eq!(search(&ports, &request).await.unwrap().found.len(), 1);
    assert_eq!(reconcile(&rig).await["rows"], 0);
}

#[tokio::test]
async fn files_that_nobody_needs_are_removed_when_they_are_old() {
    let (rig, _) = rig().await;
    let files = rig.blobs.keys();
    for key in ["uploads/acme/nobody", "text/acme/nobody", "inputs/acme/nobody"] {
        rig.blobs.insert(key, "left behind");
    }
    let hour_ago = Timestamp(rig.clock.now().0 - 3_600_000);
    *rig.blobs.written.lock().unwrap() = Some(hour_ago);
    assert_eq!(reconcile(&rig).await["stray_files"], 0, "their row may be on its way");
    *rig.blobs.written.lock().unwrap() = None;
    assert_eq!(reconcile(&rig).await["stray_files"], 2);
    let mut left = rig.blobs.keys();
    left.retain(|key| !key.starts_with("inputs/"));
    assert_eq!(left, files);
}

#[tokio::test]
async fn a_lost_file_is_told_and_nothing_else_is_touched() {
    let (rig, _) = rig().await;
    let points = rig.index.len();
    rig.blobs.clear();
    assert_eq!(reconcile(&rig).await["lost_files"], 1);
    assert_eq!(rig.index.len(), points);
}
