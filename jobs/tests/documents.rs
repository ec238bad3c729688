//! Documents on their way in.

use crate::fakes::Rig;
use DocumentStatus::{Chunking, Embedding, Indexing, Parsing};
use chat_core::{CollectionId, DocumentId, DocumentStatus, ErrorKind, JobState};
use chat_jobs::{Ending, JobError};
use std::sync::atomic::Ordering;

/// Text of many sections, each a passage of its own.
fn long_text(sections: usize) -> String {
    let section = |n| {
        format!(
            "# Section {n}

{}

",
            format!("word{n} 段落{n} ").repeat(120)
        )
    };
    (0..sections).map(section).collect::<Vec<_>>().concat()
}

#[tokio::test]
async fn a_document_becomes_findable_in_stages() {
    let rig = Rig::new();
    let (version, _) = rig.upload(DocumentId::new(), CollectionId::new(), &long_text(150));
    rig.drain().await;
    rig.store.rows(|rows| {
        let row = &rows.versions[&version];
        assert_eq!((row.status, row.live_version), (DocumentStatus::Ready, Some(version)));
        assert!(row.chunk_count >= 150);
        assert_eq!(row.embedded, row.chunk_count);
        assert_eq!(rig.index.len() as u64, row.chunk_count);
        let mut order: Vec<_> = rows.stages.iter().map(|(stage, _, _)| *stage).collect();
        order.dedup();
        assert_eq!(order, [Parsing, Chunking, Embedding, Indexing]);
        assert!(
            rows.stages.contains(&(Chunking, 192.min(row.chunk_count), row.chunk_count)),
            "{:?}",
            rows.stages
        );
        assert!(rows.jobs.values().all(|job| job.1.state == JobState::Succeeded));
    });
}

#[tokio::test]
async fn offsets_point_into_the_text_that_is_kept() {
    let rig = Rig::new();
    let (version, _) = rig.upload(DocumentId::new(), CollectionId::new(), &long_text(3));
    rig.drain().await;
    let text: Vec<char> = rig.blobs.text(&format!("text/acme/{version}")).chars().collect();
    rig.store.rows(|rows| {
        for chunk in rows.chunks[&version].values() {
            let part: String = text[chunk.start as usize..chunk.end as usize].iter().collect();
            assert_eq!(part, chunk.text);
        }
    });
}

#[tokio::test]
async fn an_attempt_that_is_repeated_changes_nothing() {
    let rig = Rig::new();
    let (version, job) = rig.upload(DocumentId::new(), CollectionId::new(), &long_text(20));
    let first = rig.claim(job);
    // Its last transaction is lost with its worker: everything before it stays.
    let registry = chat_jobs::registry();
    registry.get(&first.claim.kind).unwrap().run(&first).await.unwrap();
    let before = rig.store.rows(|rows| rows.chunks[&version].clone());
    rig.run(&rig.claim(job)).await.unwrap();
    rig.drain().await;
    rig.store.rows(|rows| {
        assert_eq!(rows.chunks[&version], before);
        assert_eq!(rows.versions[&version].status, DocumentStatus::Ready);
    });
}

#[tokio::test]
async fn a_file_without_text_fails_with_a_clear_message() {
    let rig = Rig::new();
    for text in ["", " \n\t "] {
        let (version, _) = rig.upload(DocumentId::new(), CollectionId::new(), text);
        rig.drain().await;
        rig.store.rows(|rows| {
            assert_eq!(rows.versions[&version].status, DocumentStatus::Failed);
            let failure = &rows.errors[&version];
            assert_eq!(
                (&*failure.code, &*failure.message),
                ("invalid_document", "the file holds no text that could be searched")
            );
        });
    }
}

#[tokio::test]
async fn what_the_parser_refuses_is_not_tried_again() {
    let rig = Rig::new();
    let (version, job) = rig.upload(DocumentId::new(), CollectionId::new(), "....");
    rig.blobs.insert(&format!("uploads/{version}"), vec![0xff, 0xfe, 0, 1]);
    rig.drain().await;
    rig.store.rows(|rows| {
        assert_eq!(rows.errors[&version].message, "notes.md is no text");
        assert_eq!(rows.jobs[&job].1.attempt, 1);
    });
}

#[tokio::test]
async fn a_stored_file_that_was_cut_is_tried_again_and_one_that_is_gone_is_not() {
    let rig = Rig::new();
    let (version, job) = rig.upload(DocumentId::new(), CollectionId::new(), "whole text");
    rig.blobs.insert(&format!("uploads/{version}"), "whole");
    let error = rig.run(&rig.claim(job)).await.unwrap_err();
    assert!(matches!(&error, JobError::Retry(cause) if cause.kind == ErrorKind::Protocol));
    rig.ports().blobs.delete(&format!("uploads/{version}")).await.unwrap();
    assert!(matches!(rig.run(&rig.claim(job)).await.unwrap_err(), JobError::Fail(_)));
}

#[tokio::test]
async fn the_old_version_answers_until_the_new_one_is_ready_and_goes_then() {
    let rig = Rig::new();
    let (document, collection) = (DocumentId::new(), CollectionId::new());
    let (old, _) = rig.upload(document, collection, "old text");
    rig.drain().await;
    let (new, ingest) = rig.upload(document, collection, "new text");
    rig.run(&rig.claim(ingest)).await.unwrap();
    rig.store.rows(|rows| assert_eq!(rows.versions[&old].live_version, Some(old)));
    rig.drain().await;
    rig.store.rows(|rows| {
        assert!(!rows.versions.contains_key(&old) && !rows.chunks.contains_key(&old));
        assert_eq!(rows.versions[&new].live_version, Some(new));
    });
    assert_eq!(rig.index.len(), 1);
    assert_eq!(rig.blobs.keys(), [format!("text/acme/{new}"), format!("uploads/{new}")]);
}

#[tokio::test]
async fn bytes_that_a_newer_version_shares_stay() {
    let rig = Rig::new();
    let (document, collection) = (DocumentId::new(), CollectionId::new());
    let (old, _) = rig.upload(document, collection, "same text");
    rig.drain().await;
    let (new, _) = rig.upload(document, collection, "same text");
    let shared = format!("uploads/{old}");
    rig.store.rows(|rows| rows.versions.get_mut(&new).unwrap().upload.blob.clone_from(&shared));
    rig.drain().await;
    assert!(rig.blobs.keys().contains(&shared));
    rig.store.rows(|rows| assert!(!rows.versions.contains_key(&old)));
}

/// The first job of a kind that can run.
fn available(rig: &Rig, kind: &str) -> chat_core::JobId {
    rig.store.rows(|rows| {
        let can_run = |row: &&chat_core::Job| row.kind == kind && row.state == JobState::Available;
        rows.jobs.values().map(|row| &row.1).find(can_run).map(|job| job.id).unwrap()
    })
}

#[tokio::test]
async fn a_version_does_not_replace_a_newer_one() {
    let rig = Rig::new();
    let (document, collection) = (DocumentId::new(), CollectionId::new());
    let (older, slow) = rig.upload(document, collection, "older text");
    rig.run(&rig.claim(slow)).await.unwrap();
    rig.run(&rig.claim(available(&rig, "embed_chunks.v1"))).await.unwrap();
    let late = rig.claim(available(&rig, "index_document.v1"));
    let (newer, fast) = rig.upload(document, collection, "newer text");
    rig.run(&rig.claim(fast)).await.unwrap();
    rig.run(&rig.claim(available(&rig, "embed_chunks.v1"))).await.unwrap();
    rig.run(&rig.claim(available(&rig, "index_document.v1"))).await.unwrap();
    let removal = rig.claim(available(&rig, "remove_version.v1"));
    assert!(
        matches!(rig.run(&removal).await, Err(JobError::RetryAfter(..))),
        "the older one is still written"
    );

    rig.run(&late).await.unwrap();
    rig.store.rows(|rows| {
        assert_eq!(rows.versions[&newer].live_version, Some(newer));
        assert_eq!(rows.versions[&older].status, DocumentStatus::Cancelled);
    });
    rig.drain().await;
    rig.store.rows(|rows| assert!(!rows.versions.contains_key(&older)));
    assert_eq!(rig.index.len(), 1);
}

#[tokio::test]
async fn passages_that_the_index_lost_are_written_again() {
    let rig = Rig::new();
    rig.index.lose.store(5, Ordering::Relaxed);
    let (version, _) = rig.upload(DocumentId::new(), CollectionId::new(), &long_text(30));
    rig.drain().await;
    rig.store.rows(|rows| {
        assert_eq!(rows.versions[&version].status, DocumentStatus::Ready);
        assert_eq!(rig.index.len() as u64, rows.versions[&version].chunk_count);
    });
}

#[tokio::test]
async fn a_document_whose_passages_cannot_be_embedded_fails_and_leaves_no_points() {
    let rig = Rig::new();
    let (version, ingest) = rig.upload(DocumentId::new(), CollectionId::new(), &long_text(130));
    rig.run(&rig.claim(ingest)).await.unwrap();
    let first = rig.store.rows(|rows| {
        rows.jobs.values().find(|row| row.1.kind == "embed_chunks.v1").map(|row| row.1.id).unwrap()
    });
    rig.run(&rig.claim(first)).await.unwrap();
    assert!(rig.index.len() > 0);
    rig.embedder.away.store(true, Ordering::SeqCst);
    rig.drain().await;
    rig.store.rows(|rows| {
        assert_eq!(rows.versions[&version].status, DocumentStatus::Failed);
        assert_eq!(rows.errors[&version].code, "provider_unavailable");
    });
    assert_eq!(rig.index.len(), 0);
    assert!(rig.blobs.keys().contains(&format!("uploads/{version}")), "the file can be read again");
}

#[tokio::test]
async fn what_the_embedding_model_rejects_is_told_as_its_own_fault() {
    let rig = Rig::new();
    rig.embedder.picky.store(true, Ordering::SeqCst);
    for text in ["short", &long_text(130)] {
        let (version, _) = rig.upload(DocumentId::new(), CollectionId::new(), text);
        rig.drain().await;
        rig.store.rows(|rows| {
            let error = &rows.errors[&version];
            assert_eq!(error.code, "provider_rejected");
            assert!(!error.message.contains("10.0.0.7"), "{}", error.message);
        });
    }
}

/// Whoever followed the version was told its end: nothing may come after that.
#[tokio::test]
async fn an_ended_ingestion_that_is_retried_goes_on_as_another_version() {
    let rig = Rig::new();
    for retried in ["ingest_document.v1", "index_document.v1"] {
        let document = DocumentId::new();
        let (ended, ingest) = rig.upload(document, CollectionId::new(), &long_text(130));
        if retried == "ingest_document.v1" {
            rig.end(&rig.claim(ingest), Ending::Cancelled).await;
        }
        rig.embedder.away.store(true, Ordering::SeqCst);
        rig.drain().await;
        rig.embedder.away.store(false, Ordering::SeqCst);
        let job = rig.store.rows(|rows| {
            let about = |job: &chat_core::Job| job.document == Some(document) && job.kind == retried;
            rows.jobs.values().map(|row| &row.1).find(|job| about(job)).map(|job| job.id).unwrap()
        });
        let stages = rig.store.rows(|rows| rows.stages.len());
        let end = rig.store.rows(|rows| rows.versions[&ended].status);
        // Its worker is lost after the new version was written: the next one finds it.
        chat_jobs::registry().get(retried).unwrap().run(&rig.claim(job)).await.unwrap();
        rig.run(&rig.claim(job)).await.unwrap();
        assert_eq!(rig.store.rows(|rows| rows.stages.len()), stages, "{retried}: told after the end");
        rig.drain().await;
        rig.store.rows(|rows| {
            let after: Vec<_> =
                rows.versions.values().filter(|it| it.document == document && it.id != ended).collect();
            assert_eq!(after.len(), 1, "{retried}: once");
            assert_eq!(after[0].status, DocumentStatus::Ready, "{retried}");
            assert_ne!(end, DocumentStatus::Ready);
            assert!(!rows.versions.contains_key(&ended), "{retried}: the ended one went");
            assert!(rig.blobs.keys().contains(&after[0].upload.blob), "{retried}: a file of its own");
        });
    }
}

#[tokio::test]
async fn a_stopped_ingestion_is_cancelled() {
    let rig = Rig::new();
    let (version, job) = rig.upload(DocumentId::new(), CollectionId::new(), "text");
    rig.end(&rig.claim(job), Ending::Cancelled).await;
    rig.drain().await;
    rig.store.rows(|rows| {
        assert_eq!(rows.versions[&version].status, DocumentStatus::Cancelled);
        assert!(!rows.errors.contains_key(&version));
    });
}
