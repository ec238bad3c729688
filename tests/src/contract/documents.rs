//! What a document is while one version replaces another, and whose bytes are whose.

use super::rows::{Library, chunks, library, version, write};
use chat_core::{
    Change, Document, DocumentId, DocumentStatus, ErrorKind, Failure, NewVersion, PageRequest, StreamId,
    Upload, Write, ports::Store,
};
use serde_json::json;

/// Runs every promise.
pub async fn exercise(store: &dyn Store) {
    a_replacement_is_the_document_once_it_answers(store).await;
    a_replacement_that_is_given_up_changes_nothing(store).await;
    a_document_that_never_answered_is_what_was_uploaded_last(store).await;
    what_is_deleted_says_so_once(store).await;
    a_version_follows_the_newest_or_none(store).await;
}

async fn read(store: &dyn Store, library: &Library) -> Document {
    store.document(&library.tenant, library.document).await.unwrap()
}

async fn with_hash(store: &dyn Store, library: &Library, sha256: &str) -> Option<DocumentId> {
    store.document_with_hash(library.collection, sha256).await.unwrap()
}

/// Other content, under another name.
async fn replace(store: &dyn Store, library: &Library, sha256: &str) -> NewVersion {
    let mut next = version(library, sha256);
    next.upload = Upload {
        filename: format!("{sha256}.png"),
        media_type: "image/png".into(),
        bytes: 78,
        blob: format!("uploads/{sha256}"),
        ..next.upload
    };
    write(store, vec![Change::InsertVersion(Box::new(next.clone()))]).await;
    next
}

async fn end(store: &dyn Store, version: &NewVersion, status: DocumentStatus) {
    let failed = status == DocumentStatus::Failed;
    let error = failed.then(|| Failure { code: "invalid_document".into(), message: "坏".into() });
    write(store, vec![Change::EndVersion { version: version.id, status, error }]).await;
}

/// The numbers of what is told of it.
async fn flip(store: &dyn Store, version: &NewVersion) -> Vec<u64> {
    let insert = Change::InsertChunks { version: version.id, chunks: chunks(version.id, 2) };
    let told = write(store, vec![insert, Change::FlipVersion(version.id)]).await.events;
    told.iter().map(|(_, event)| event.seq).collect()
}

/// Another document of the collection with these bytes.
async fn add(store: &dyn Store, library: &Library, sha256: &str) -> Result<Library, ErrorKind> {
    let other = Library {
        tenant: library.tenant.clone(),
        collection: library.collection,
        document: DocumentId::new(),
    };
    let insert = Change::InsertDocument {
        id: other.document,
        collection: other.collection,
        metadata: json!({}),
        version: Box::new(version(&other, sha256)),
    };
    store.commit(Write::of(vec![insert])).await.map(|_| other).map_err(|error| error.kind)
}

async fn listed(store: &dyn Store, library: &Library, status: DocumentStatus) -> bool {
    let page = PageRequest::default();
    let found = store.documents(&library.tenant, Some(library.collection), Some(status), page).await.unwrap();
    found.rows.iter().any(|document| document.id == library.document)
}

async fn a_replacement_is_the_document_once_it_answers(store: &dyn Store) {
    let (library, first) = library(store, "replacer", json!({})).await;
    flip(store, &first).await;
    let second = replace(store, &library, "two").await;
    let queued = read(store, &library).await;
    assert_eq!((queued.status, queued.version_id), (DocumentStatus::Queued, second.id));
    assert_eq!(queued.upload, first.upload, "the old version answers");
    assert_eq!(store.collection(&library.tenant, library.collection).await.unwrap().bytes, 10);
    for taken in ["one", "two"] {
        assert_eq!(with_hash(store, &library, taken).await, Some(library.document), "{taken}");
        assert_eq!(add(store, &library, taken).await.err(), Some(ErrorKind::Conflict), "{taken}");
    }
    let other = add(store, &library, "other").await.unwrap();
    let stolen = Change::InsertVersion(Box::new(version(&other, "one")));
    assert_eq!(store.commit(Write::of(vec![stolen])).await.unwrap_err().kind, ErrorKind::Conflict);
    assert_eq!(flip(store, &second).await, [1_000_001], "numbers go on from version to version");
    let ready = read(store, &library).await;
    assert_eq!((ready.status, &ready.upload), (DocumentStatus::Ready, &second.upload));
    assert_eq!(with_hash(store, &library, "one").await, None);
    assert_eq!(with_hash(store, &library, "two").await, Some(library.document));
    add(store, &library, "one").await.unwrap();
}

async fn a_replacement_that_is_given_up_changes_nothing(store: &dyn Store) {
    let (library, first) = library(store, "giver-up", json!({})).await;
    flip(store, &first).await;
    for (sha256, status) in [("bad", DocumentStatus::Failed), ("unwanted", DocumentStatus::Cancelled)] {
        let given_up = replace(store, &library, sha256).await;
        end(store, &given_up, status).await;
        let now = read(store, &library).await;
        assert_eq!((now.status, now.progress.stage, now.version_id), (status, status, given_up.id));
        assert_eq!((now.live_version, &now.upload), (Some(first.id), &first.upload));
        assert_eq!(now.error.is_some(), status == DocumentStatus::Failed);
        assert!(listed(store, &library, status).await, "what was given up cannot be found");
        assert!(!listed(store, &library, DocumentStatus::Ready).await);
        assert_eq!(with_hash(store, &library, "one").await, Some(library.document));
        assert_eq!(with_hash(store, &library, sha256).await, None, "nobody has these bytes");
        assert_eq!(add(store, &library, "one").await.err(), Some(ErrorKind::Conflict));
        add(store, &library, sha256).await.unwrap();
    }
    // A job that is run again by hand may still bring a version that was given up.
    let late = replace(store, &library, "late").await;
    end(store, &late, DocumentStatus::Failed).await;
    flip(store, &late).await;
    assert_eq!(read(store, &library).await.upload, late.upload);
    assert_eq!(with_hash(store, &library, "late").await, Some(library.document));
    assert_eq!(with_hash(store, &library, "one").await, None);
}

async fn a_document_that_never_answered_is_what_was_uploaded_last(store: &dyn Store) {
    let (library, first) = library(store, "hoper", json!({})).await;
    end(store, &first, DocumentStatus::Failed).await;
    let failed = read(store, &library).await;
    assert_eq!((failed.status, &failed.upload), (DocumentStatus::Failed, &first.upload));
    assert_eq!(with_hash(store, &library, "one").await, Some(library.document), "it can be tried again");
    let second = replace(store, &library, "two").await;
    assert_eq!(read(store, &library).await.upload, second.upload);
    end(store, &second, DocumentStatus::Cancelled).await;
    assert_eq!(read(store, &library).await.upload, second.upload);
    assert_eq!(with_hash(store, &library, "two").await, Some(library.document));
}

/// What a commit of these changes tells of documents.
async fn told(store: &dyn Store, changes: Vec<Change>) -> Vec<(StreamId, String)> {
    let events = write(store, changes).await.events;
    events.into_iter().map(|(stream, event)| (stream, event.name.to_string())).collect()
}

async fn what_is_deleted_says_so_once(store: &dyn Store) {
    let (library, first) = library(store, "deleter", json!({})).await;
    flip(store, &first).await;
    let second = replace(store, &library, "two").await;
    let hide = Change::HideDocument(library.tenant.clone(), library.document);
    let cancelled = |version: &NewVersion| vec![(version.id.into(), "document.cancelled".to_owned())];
    assert_eq!(told(store, vec![hide]).await, cancelled(&second), "what answers has ended long ago");
    let row = store.version(second.id).await.unwrap();
    assert!(row.deleted && row.status == DocumentStatus::Cancelled, "{row:?}");
    let stage =
        Change::VersionStage { version: second.id, stage: DocumentStatus::Parsing, done: 0, total: 78 };
    let end = Change::EndVersion { version: second.id, status: DocumentStatus::Cancelled, error: None };
    let late = vec![stage, Change::FlipVersion(second.id), end];
    assert_eq!(told(store, late).await, [], "something follows the end");

    let other = add(store, &library, "other").await.unwrap();
    let third = store.document(&other.tenant, other.document).await.unwrap().version_id;
    let hide = Change::HideCollection(library.tenant.clone(), library.collection);
    assert_eq!(told(store, vec![hide]).await, [(third.into(), "document.cancelled".to_owned())]);
}

/// Of two that do the work of an ended version again, one is too late.
async fn a_version_follows_the_newest_or_none(store: &dyn Store) {
    let (library, first) = library(store, "followers", json!({})).await;
    end(store, &first, DocumentStatus::Failed).await;
    let after = |of: &NewVersion| NewVersion { follows: Some(of.id), ..version(&library, "followed") };
    let insert = async |version: &NewVersion| {
        let insert = vec![Change::InsertVersion(Box::new(version.clone()))];
        store.commit(Write::of(insert)).await.map(drop).map_err(|error| error.kind)
    };
    let (second, third) = (after(&first), after(&first));
    assert_eq!(insert(&second).await, Ok(()));
    assert_eq!(insert(&third).await, Err(ErrorKind::Conflict));
    assert_eq!(read(store, &library).await.version_id, second.id);
    write(store, vec![Change::HideDocument(library.tenant.clone(), library.document)]).await;
    assert_eq!(insert(&after(&second)).await, Err(ErrorKind::Conflict), "a deleted document came back");
}
