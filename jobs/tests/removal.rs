//! Documents on their way out, also while they are on their way in.

use crate::fakes::Rig;
use chat_core::{Change, CollectionId, DocumentId, DocumentStatus, ErrorKind, JobState};
use chat_jobs::{DeleteCollection, DeleteDocument, Ending, JobError, JobKind};

fn delete(rig: &Rig, document: DocumentId) -> chat_core::JobId {
    rig.store.rows(|rows| rows.hide(document));
    let mut job = DeleteDocument { document }.job(&rig.tenant);
    job.document = Some(document);
    let id = job.id;
    rig.store.write(chat_core::Write::of(vec![Change::Enqueue(Box::new(job))])).unwrap();
    id
}

fn assert_nothing_left(rig: &Rig) {
    assert_eq!(rig.index.len(), 0);
    assert_eq!(rig.blobs.keys(), Vec::<String>::new());
    rig.store.rows(|rows| {
        assert_eq!(rows.versions.len(), 0);
        assert!(rows.chunks.values().all(std::collections::BTreeMap::is_empty));
    });
}

#[tokio::test]
async fn a_deleted_document_leaves_nothing() {
    let rig = Rig::new();
    let document = rig.know("some text").await;
    delete(&rig, document);
    rig.drain().await;
    assert_nothing_left(&rig);
}

/// The document is deleted after `steps` jobs of its ingestion have run; the rest runs whenever it likes.
async fn delete_after(steps: usize) {
    let rig = Rig::new();
    let document = DocumentId::new();
    let part = |n| format!("# Part {n}\n\nwords of part {n}\n\n");
    let text = (0..200).map(part).collect::<Vec<_>>().concat();
    rig.upload(document, CollectionId::new(), &text);
    for _ in 0..steps {
        let next = rig.store.rows(|rows| {
            rows.jobs.values().find(|row| row.1.state == JobState::Available).map(|row| row.1.id)
        });
        let Some(id) = next else { break };
        rig.run(&rig.claim(id)).await.unwrap();
    }
    delete(&rig, document);
    rig.drain().await;
    assert_nothing_left(&rig);
}

#[tokio::test]
async fn deleting_at_every_step_of_the_ingestion_leaves_nothing() {
    for steps in 0..8 {
        delete_after(steps).await;
    }
}

#[tokio::test]
async fn a_delete_waits_for_the_job_that_writes() {
    let rig = Rig::new();
    let document = DocumentId::new();
    let (_, ingest) = rig.upload(document, CollectionId::new(), "some text");
    let running = rig.claim(ingest);
    let removal = rig.claim(delete(&rig, document));
    let error = rig.run(&removal).await.unwrap_err();
    assert!(matches!(&error, JobError::RetryAfter(_, cause) if cause.kind == ErrorKind::Unavailable));
    rig.store.rows(|rows| assert!(rows.jobs[&ingest].1.cancel_requested, "it was asked to stop"));
    rig.retry(&removal, error.cause());
    rig.end(&running, Ending::Cancelled).await;
    rig.drain().await;
    assert_nothing_left(&rig);
}

#[tokio::test]
async fn who_follows_a_document_that_is_removed_is_told_first() {
    let rig = Rig::new();
    let document = DocumentId::new();
    let (version, ingest) = rig.upload(document, CollectionId::new(), "some text");
    rig.store.rows(|rows| rows.jobs.get_mut(&ingest).unwrap().1.state = JobState::Waiting);
    let removal = rig.claim(delete(&rig, document));
    rig.index.away.store(true, std::sync::atomic::Ordering::Relaxed);
    rig.run(&removal).await.unwrap_err();
    rig.store.rows(|rows| assert_eq!(rows.versions[&version].status, DocumentStatus::Cancelled));
}

fn embedding_job(rig: &Rig) -> chat_core::JobId {
    rig.store.rows(|rows| {
        rows.jobs.values().find(|row| row.1.kind == "embed_chunks.v1").map(|row| row.1.id).unwrap()
    })
}

#[tokio::test]
async fn vectors_that_come_after_the_delete_are_withdrawn() {
    let rig = Rig::new();
    let document = DocumentId::new();
    let (_, ingest) = rig.upload(document, CollectionId::new(), "some text");
    rig.run(&rig.claim(ingest)).await.unwrap();
    let slow = rig.claim(embedding_job(&rig));
    let (store, blobs) = (rig.store.clone(), rig.blobs.clone());
    // The delete does all that it does while the vectors are on their way.
    *rig.index.before_upsert.lock().unwrap() = Some(Box::new(move || {
        store.rows(|rows| rows.hide(document));
        store.write(chat_core::Write::of(vec![Change::PurgeDocument(document)])).unwrap();
        blobs.clear();
    }));
    rig.run(&slow).await.unwrap();
    assert!(rig.index.before_upsert.lock().unwrap().is_none(), "there was an upsert");
    assert_nothing_left(&rig);
}

#[tokio::test]
async fn an_embedding_job_that_runs_after_the_delete_does_nothing() {
    let rig = Rig::new();
    let document = DocumentId::new();
    let (_, ingest) = rig.upload(document, CollectionId::new(), "some text");
    rig.run(&rig.claim(ingest)).await.unwrap();
    let embed = embedding_job(&rig);
    rig.store.rows(|rows| rows.jobs.get_mut(&embed).unwrap().1.state = JobState::Waiting);
    delete(&rig, document);
    rig.drain().await;
    rig.run(&rig.claim(embed)).await.unwrap();
    assert_nothing_left(&rig);
}

#[tokio::test]
async fn a_collection_goes_with_all_its_documents() {
    let rig = Rig::new();
    let (collection, other) = (CollectionId::new(), CollectionId::new());
    let kept = DocumentId::new();
    rig.upload(kept, other, "stays");
    for n in 0..120 {
        rig.upload(DocumentId::new(), collection, &format!("text {n}"));
    }
    rig.drain().await;
    rig.store.rows(|rows| {
        rows.hidden_collections.insert(collection);
        let documents: Vec<_> =
            rows.versions.values().filter(|v| v.collection == collection).map(|v| v.document).collect();
        for document in documents {
            rows.hide(document);
        }
    });
    let cx = rig.claim_new(DeleteCollection { collection }.job(&rig.tenant));
    rig.run(&cx).await.unwrap();
    rig.store.rows(|rows| {
        assert!(!rows.hidden_collections.contains(&collection));
        assert!(rows.versions.values().all(|version| version.document == kept));
    });
    assert_eq!((rig.index.len(), rig.blobs.keys().len()), (1, 2));
}
