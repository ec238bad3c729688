//! Conversations, documents and events of the `Store` port.

use chat_core::{
    Change, Chunk, ChunkId, Collection, CollectionId, DocumentId, DocumentStatus, ErrorKind, Event, Failure,
    JobId, Message, MessageId, NewResponse, NewVersion, PageRequest, Reference, ResponseEnd, ResponseId,
    ResponseStatus, Role, Session, SessionId, StreamId, Tenant, Timestamp, Timings, TurnOptions, Upload,
    Usage, VersionId, Write, object, ports::Store,
};
use serde_json::{Value, json};

pub(super) async fn write(store: &dyn Store, changes: Vec<Change>) -> chat_core::Committed {
    store.commit(Write::of(changes)).await.unwrap()
}

/// Runs every promise.
pub async fn exercise(store: &dyn Store) {
    a_conversation(store).await;
    all_or_nothing(store).await;
    an_event_log(store).await;
    super::answers::exercise(store).await;
    versions_flip(store).await;
    files_that_versions_need_are_known(store).await;
    deleted_is_gone(store).await;
    metadata_filters(store).await;
}

pub(super) fn session(tenant: &Tenant) -> Session {
    Session {
        id: SessionId::new(),
        tenant: tenant.clone(),
        title: Some("标题".into()),
        collections: vec![],
        instructions: None,
        metadata: json!({"a": [1, "二"]}),
        created_at: Timestamp(1_000),
        updated_at: Timestamp(1_000),
        revision: uuid::Uuid::nil(),
    }
}

pub(super) fn message(session: &Session, role: Role, content: &str, response: Option<ResponseId>) -> Message {
    Message {
        id: MessageId::new(),
        session: session.id,
        tenant: session.tenant.clone(),
        role,
        content: content.into(),
        response,
        references: vec![],
        created_at: Timestamp(2_000),
    }
}

async fn a_conversation(store: &dyn Store) {
    let tenant = Tenant::from("talker");
    let session = session(&tenant);
    let response = ResponseId::new();
    let question = message(&session, Role::User, "什么是所有权？", Some(response));
    let turn = NewResponse {
        id: response,
        tenant: tenant.clone(),
        session: session.id,
        message: question.id,
        job: JobId::new(),
        model: "m".into(),
        options: TurnOptions { top_k: Some(3), ..TurnOptions::default() },
        created_at: Timestamp(2_000),
    };
    let changes = vec![
        Change::InsertSession(Box::new(session.clone())),
        Change::InsertMessage(Box::new(question.clone())),
        Change::InsertResponse(Box::new(turn.clone())),
    ];
    write(store, changes).await;
    assert_eq!(store.session(&tenant, session.id).await.unwrap().metadata, session.metadata);
    let read = store.response(&tenant, response).await.unwrap();
    assert_eq!((read.status, read.options.top_k), (ResponseStatus::Queued, Some(3)));
    assert_eq!(store.open_responses(&tenant, session.id).await.unwrap(), vec![(response, turn.job)]);

    let reference = Reference {
        index: 1,
        document_id: DocumentId::new(),
        chunk_id: ChunkId::of(VersionId::new(), 0, "m"),
        title: "ch04".into(),
        text: "所有权……".into(),
        score: 0.5,
        start: 3,
        end: 9,
    };
    let end = ResponseEnd {
        status: ResponseStatus::Completed,
        attempt: 1,
        model: "m".into(),
        output_text: "答案 [1]".into(),
        references: vec![reference.clone()],
        usage: Some(Usage { input_tokens: 3, output_tokens: 4, total_tokens: 7, cost_usd: None }),
        timings: Timings { queued_ms: Some(1), ..Timings::default() },
        error: None,
        completed_at: Timestamp(3_000),
    };
    let answer = message(&session, Role::Assistant, "答案 [1]", Some(response));
    let contexts =
        Change::SaveContexts { response, passages: vec![reference.clone()], expires_at: Timestamp(9_000) };
    let end = Change::EndResponse(response, Box::new(end));
    write(store, vec![contexts, end, Change::InsertMessage(Box::new(answer.clone()))]).await;
    let read = store.response(&tenant, response).await.unwrap();
    assert_eq!((read.status, read.output_text.as_str()), (ResponseStatus::Completed, "答案 [1]"));
    assert_eq!(read.references, vec![reference.clone()]);
    assert!(store.open_responses(&tenant, session.id).await.unwrap().is_empty());
    let ascending = PageRequest { ascending: true, ..PageRequest::default() };
    let said = store.messages(&tenant, session.id, ascending).await.unwrap().rows;
    assert_eq!(said.iter().map(|m| m.id).collect::<Vec<_>>(), vec![question.id, answer.id]);
    assert_eq!(said[1].references, vec![reference]);
    let asked = store.turn(&tenant, response, 10).await.unwrap();
    assert_eq!((asked.response.status, asked.response.message), (ResponseStatus::Completed, question.id));
    assert_eq!((asked.session.id, asked.session.metadata), (session.id, session.metadata.clone()));
    assert_eq!(asked.newest.iter().map(|m| m.id).collect::<Vec<_>>(), vec![answer.id, question.id]);
    assert_eq!(asked.summary, None);
    let text = "问过所有权".to_owned();
    let summary = Change::SaveSummary { session: session.id, until: question.id, text: text.clone() };
    write(store, vec![summary]).await;
    let asked = store.turn(&tenant, response, 1).await.unwrap();
    assert_eq!(asked.newest.iter().map(|m| m.id).collect::<Vec<_>>(), vec![answer.id]);
    assert_eq!(asked.summary, Some((question.id, text)));

    let stranger = Tenant::from("stranger");
    assert_eq!(store.session(&stranger, session.id).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(store.response(&stranger, response).await.unwrap_err().kind, ErrorKind::NotFound);
    assert!(store.messages(&stranger, session.id, ascending).await.unwrap().rows.is_empty());
    let foreign = Change::DeleteSession(stranger, session.id, Vec::new());
    assert_eq!(store.commit(Write::of(vec![foreign])).await.unwrap_err().kind, ErrorKind::NotFound);
    write(store, vec![Change::DeleteSession(tenant.clone(), session.id, Vec::new())]).await;
    assert_eq!(store.response(&tenant, response).await.unwrap_err().kind, ErrorKind::NotFound);
}

async fn all_or_nothing(store: &dyn Store) {
    let tenant = Tenant::from("careful");
    let session = session(&tenant);
    let orphan = Session { id: SessionId::new(), ..session.clone() };
    let changes = vec![
        Change::InsertSession(Box::new(session.clone())),
        Change::Enqueue(Box::new(super::jobs::job())),
        Change::InsertMessage(Box::new(message(&orphan, Role::User, "x", None))),
    ];
    let refused = store.commit(Write::of(changes)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::NotFound);
    assert_eq!(
        store.session(&tenant, session.id).await.unwrap_err().kind,
        ErrorKind::NotFound,
        "half was written"
    );
}

async fn an_event_log(store: &dyn Store) {
    let stream = StreamId::from(ResponseId::new());
    let event =
        |seq| Event::new("response.output_text.delta", seq, &[], object([("delta", "字\n行".into())]));
    assert_eq!(store.last_event(stream).await.unwrap(), 0);
    write(store, vec![Change::AppendEvents(stream, vec![event(1), event(2)])]).await;
    write(store, vec![Change::AppendEvents(stream, vec![event(3)])]).await;
    write(store, vec![Change::AppendEvents(stream, vec![event(3)])]).await;
    assert_eq!(store.last_event(stream).await.unwrap(), 3);
    assert_eq!(store.events_after(stream, 0).await.unwrap(), vec![event(1), event(2), event(3)]);
    assert_eq!(store.events_after(stream, 1).await.unwrap(), vec![event(2), event(3)]);
    assert!(store.events_after(stream, 3).await.unwrap().is_empty());
}

pub(super) struct Library {
    pub(super) tenant: Tenant,
    pub(super) collection: CollectionId,
    pub(super) document: DocumentId,
}

pub(super) fn version(library: &Library, sha256: &str) -> NewVersion {
    NewVersion {
        id: VersionId::new(),
        document: library.document,
        tenant: library.tenant.clone(),
        upload: Upload {
            filename: "指南.md".into(),
            media_type: "text/markdown".into(),
            charset: None,
            bytes: 10,
            sha256: sha256.into(),
            blob: "uploads/x".into(),
        },
        job: JobId::new(),
        follows: None,
        created_at: Timestamp(5_000),
    }
}

pub(super) async fn library(store: &dyn Store, tenant: &str, metadata: Value) -> (Library, NewVersion) {
    let library = Library {
        tenant: Tenant::from(tenant),
        collection: CollectionId::new(),
        document: DocumentId::new(),
    };
    let collection = Collection {
        id: library.collection,
        tenant: library.tenant.clone(),
        name: format!("books {}", library.collection),
        metadata: json!({}),
        document_count: 0,
        chunk_count: 0,
        bytes: 0,
        created_at: Timestamp(4_000),
        updated_at: Timestamp(4_000),
    };
    let first = version(&library, "one");
    let changes = vec![
        Change::InsertCollection(Box::new(collection)),
        Change::InsertDocument {
            id: library.document,
            collection: library.collection,
            metadata,
            version: Box::new(first.clone()),
        },
    ];
    write(store, changes).await;
    (library, first)
}

pub(super) fn chunks(version: VersionId, count: u32) -> Vec<Chunk> {
    (0..count)
        .map(|ordinal| Chunk {
            id: ChunkId::of(version, ordinal, "m"),
            ordinal,
            title: (ordinal == 0).then(|| "标题".into()),
            text: format!("第 {ordinal} 段"),
            start: u64::from(ordinal) * 10,
            end: u64::from(ordinal) * 10 + 9,
            tokens: 4,
        })
        .collect()
}

async fn files_that_versions_need_are_known(store: &dyn Store) {
    let (library, first) = library(store, "archivist", json!({})).await;
    let mut second = version(&library, "another hash");
    second.upload.blob = format!("uploads/{}", second.id);
    let text = format!("text/{}", second.id);
    write(store, vec![Change::InsertVersion(Box::new(second.clone()))]).await;
    let keys =
        [first.upload.blob.clone(), second.upload.blob.clone(), text.clone(), "uploads/nobody's".into()];
    let mut unneeded = store.unneeded_blobs(&keys).await.unwrap();
    unneeded.sort_unstable();
    assert_eq!(unneeded, [text.as_str(), "uploads/nobody's"]);
    let parsed = Change::VersionParsed {
        version: second.id,
        charset: "UTF-8".into(),
        media_type: "text/plain".into(),
        text_blob: text,
    };
    write(store, vec![parsed]).await;
    assert_eq!(store.unneeded_blobs(&keys).await.unwrap(), ["uploads/nobody's"]);
    assert!(store.unneeded_blobs(&[]).await.unwrap().is_empty());
}

async fn versions_flip(store: &dyn Store) {
    let (library, first) = library(store, "reader", json!({})).await;
    let tenant = &library.tenant;
    let read = store.document(tenant, library.document).await.unwrap();
    assert_eq!((read.status, read.version, read.live_version), (DocumentStatus::Queued, 1, None));
    let staged = chunks(first.id, 3);
    let insert = Change::InsertChunks { version: first.id, chunks: staged.clone() };
    write(store, vec![insert.clone()]).await;
    write(store, vec![insert]).await; // repeatable
    let ids: Vec<_> = staged.iter().map(|chunk| chunk.id).collect();
    assert!(store.passages(tenant, &ids).await.unwrap().is_empty(), "a staged version was found");
    let embedded = Change::ChunksEmbedded { version: first.id, from: 0, to: 2 };
    assert!(write(store, vec![embedded.clone()]).await.events.is_empty(), "it is not being embedded");
    let stage =
        Change::VersionStage { version: first.id, stage: DocumentStatus::Embedding, done: 0, total: 3 };
    let told = write(store, vec![stage, embedded.clone(), embedded]).await.events;
    let numbers: Vec<_> = told.iter().map(|(_, event)| event.seq).collect();
    assert_eq!(numbers, [1, 2, 3], "a version's events are numbered by the store");
    assert_eq!(store.version(first.id).await.unwrap().embedded, 2, "passages were counted twice");

    let nobody = Tenant::from("without-any-document");
    assert_eq!(store.search_revision(&nobody).await.unwrap(), 0, "nothing can be found, and that is known");
    let before = store.search_revision(tenant).await.unwrap();
    let told = write(store, vec![Change::FlipVersion(first.id)]).await.events;
    assert_eq!(&*told[0].1.name, "document.completed");
    assert_ne!(store.search_revision(tenant).await.unwrap(), before, "caches would answer stale");
    let found = store.passages(tenant, &ids).await.unwrap();
    assert_eq!(found.iter().map(|p| p.chunk.clone()).collect::<Vec<_>>(), staged, "in the order asked for");
    assert!(store.passages(&Tenant::from("stranger"), &ids).await.unwrap().is_empty());

    let second = version(&library, "two");
    write(store, vec![Change::InsertVersion(Box::new(second.clone()))]).await;
    let newer = chunks(second.id, 1);
    write(store, vec![Change::InsertChunks { version: second.id, chunks: newer.clone() }]).await;
    assert_eq!(store.passages(tenant, &ids).await.unwrap().len(), 3, "the old version answers meanwhile");
    let failure = Failure { code: "invalid_document".into(), message: "坏".into() };
    let failed = Change::EndVersion {
        version: second.id,
        status: DocumentStatus::Failed,
        error: Some(failure.clone()),
    };
    write(store, vec![failed]).await;
    let read = store.document(tenant, library.document).await.unwrap();
    assert_eq!(
        (read.status, read.error),
        (DocumentStatus::Failed, Some(failure)),
        "it says why, while the old version still answers"
    );

    let third = version(&library, "three");
    let flip = vec![
        Change::InsertVersion(Box::new(third.clone())),
        Change::InsertChunks { version: third.id, chunks: chunks(third.id, 2) },
        Change::FlipVersion(third.id),
        Change::RemoveVersion(first.id),
    ];
    write(store, flip).await;
    assert!(
        store.passages(tenant, &ids).await.unwrap().is_empty(),
        "the old version was found after the flip"
    );
    assert_eq!(store.chunks(tenant, library.document, 0, 10).await.unwrap().len(), 2);
    let collection = store.collection(tenant, library.collection).await.unwrap();
    assert_eq!((collection.document_count, collection.chunk_count, collection.bytes), (1, 2, 10));
}

async fn deleted_is_gone(store: &dyn Store) {
    let (library, first) = library(store, "forgetter", json!({})).await;
    let tenant = &library.tenant;
    let staged = chunks(first.id, 1);
    let insert = Change::InsertChunks { version: first.id, chunks: staged.clone() };
    write(store, vec![insert, Change::FlipVersion(first.id)]).await;
    assert_eq!(store.document_with_hash(library.collection, "one").await.unwrap(), Some(library.document));
    let before = store.search_revision(tenant).await.unwrap();
    write(store, vec![Change::HideDocument(tenant.clone(), library.document)]).await;
    assert_ne!(store.search_revision(tenant).await.unwrap(), before);
    assert!(store.passages(tenant, &[staged[0].id]).await.unwrap().is_empty());
    assert_eq!(store.document(tenant, library.document).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(store.document_with_hash(library.collection, "one").await.unwrap(), None);
    assert!(store.version(first.id).await.unwrap().deleted, "jobs still see what there is to remove");
    write(store, vec![Change::PurgeDocument(library.document)]).await;
    assert_eq!(store.version(first.id).await.unwrap_err().kind, ErrorKind::NotFound);
    write(store, vec![Change::HideCollection(tenant.clone(), library.collection)]).await;
    write(store, vec![Change::PurgeCollection(library.collection)]).await;
}

async fn metadata_filters(store: &dyn Store) {
    let (library, first) = library(
        store,
        "filterer",
        json!({"lang": "zh", "year": 2024, "draft": true, "size": 1.50, "of": [1, {"to": 2.0}]}),
    )
    .await;
    write(store, vec![Change::FlipVersion(first.id)]).await;
    for (filter, found) in [
        (json!({"lang": "zh"}), true),
        (json!({"lang": "zh", "year": 2024}), true),
        (json!({"draft": true}), true),
        (json!({"lang": "en"}), false),
        (json!({"year": 2024.0}), true),
        (json!({"size": 1.5, "of": [1.0, {"to": 2}]}), true),
        (json!({"of": [1]}), false),
        (json!({"draft": 1}), false),
        (json!({"year": "2024"}), false),
        (json!({"missing": null}), false),
    ] {
        let Value::Object(wanted) = &filter else { unreachable!() };
        let ids = store.documents_where(&library.tenant, wanted).await.unwrap();
        assert_eq!(ids.contains(&library.document), found, "{filter}");
    }
}
