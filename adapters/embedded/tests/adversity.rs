//! A full disk and a locked file: refused with a kind that says "later", nothing half-written, and then it goes on.
#![allow(clippy::unwrap_used, missing_docs)]

use chat_core::{
    Change, ErrorKind, Event, ResponseId, StreamId, Write, object,
    ports::{EventStore, Store},
};
use chat_embedded::{SqliteOptions, SqliteStore};
use sqlx::Connection;
use sqlx_sqlite::SqliteConnection;

fn event(seq: u64, bytes: usize) -> Event {
    Event::new("response.output_text.delta", seq, &[], object([("delta", "字".repeat(bytes / 3).into())]))
}

fn append(stream: StreamId, event: Event) -> Write {
    Write::of(vec![Change::AppendEvents(stream, vec![event])])
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_what_was_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { max_pages: Some(200), ..SqliteOptions::new(folder.path().join("chat.db")) };
    let store = SqliteStore::open(options.clone()).await.unwrap();
    let stream = StreamId::from(ResponseId::new());
    let mut written = 0;
    let refused = loop {
        match store.commit(append(stream, event(written + 1, 50_000))).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100, "the limit was never reached");
    };
    assert_eq!(refused.kind, ErrorKind::Unavailable, "{refused:?}");
    assert!(refused.message.contains("full"), "{refused}");
    assert_eq!(store.last_event(stream).await.unwrap(), written, "reading goes on");
    store.close().await;
    let store = SqliteStore::open(SqliteOptions { max_pages: None, ..options }).await.unwrap();
    store.commit(append(stream, event(written + 1, 50_000))).await.unwrap();
    assert_eq!(store.events_after(stream, 0).await.unwrap().len() as u64, written + 1);
    store.close().await;
}

#[tokio::test]
async fn a_locked_file_is_unavailable_until_it_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    let store = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
    let mut other = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let stream = StreamId::from(ResponseId::new());
    let refused = store.commit(append(stream, event(1, 9))).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unavailable, "{refused:?}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    store.commit(append(stream, event(1, 9))).await.unwrap();
    assert_eq!(store.last_event(stream).await.unwrap(), 1);
    store.close().await;
}
