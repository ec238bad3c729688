//! Uploads files, some at a time, and follows each document until it has ended.

use super::files::SourceFile;
use crate::{
    client::{self, Client, ClientError, Document},
    output::Progress,
};
use chat_core::DocumentStatus;
use futures::{Stream, StreamExt, stream};
use std::time::Duration;

/// Uploads at a time.
const UPLOADS: usize = 8;
/// Documents that are followed at a time.
const FOLLOWED: usize = 32;
/// Between two looks at a document whose events broke off.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How often in a row a server may not answer.
const LOST: usize = 25;

/// How a file ended.
#[derive(Debug)]
pub struct FileEnd {
    /// The file.
    pub file: SourceFile,
    /// The document, whatever its status; or why there is none.
    pub document: Result<Document, ClientError>,
}

/// Reads every file; each comes out when it has ended.
pub fn read_all<'a>(
    client: &'a Client,
    collection: &'a str,
    files: &'a [SourceFile],
    progress: &'a Progress,
) -> impl Stream<Item = FileEnd> + Unpin + 'a {
    let uploaded = stream::iter(files).map(move |file| async move {
        progress.stage(&file.shown, "uploading");
        let document = client.upload(collection, &file.path, &file.shown).await;
        if document.is_ok() {
            progress.uploaded();
        }
        (file, document)
    });
    let followed = uploaded.buffer_unordered(UPLOADS).map(move |(file, document)| async move {
        let mut steps = Steps { file, progress, halfway: false };
        let document = match document {
            Ok(document) => follow(client, document, &mut steps).await,
            refused => refused,
        };
        progress.finished(file.bytes, steps.halfway);
        FileEnd { file: file.clone(), document }
    });
    Box::pin(followed.buffer_unordered(FOLLOWED))
}

/// Waits for a document's end. Its events say when; its state counts.
async fn follow(client: &Client, first: Document, steps: &mut Steps<'_>) -> Result<Document, ClientError> {
    let mut document = first;
    let mut lost = 0;
    while !document.status.is_final() {
        let watched = watch(client, &document.id, steps).await;
        match watched.and(client.document(&document.id).await) {
            Ok(now) => (document, lost) = (Document { duplicate_of: document.duplicate_of, ..now }, 0),
            // It may be starting again.
            Err(ClientError::Unreachable { .. }) if lost < LOST => lost += 1,
            Err(error) => return Err(error),
        }
        if !document.status.is_final() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
    Ok(document)
}

/// Reads a document's events until they end.
async fn watch(client: &Client, id: &str, steps: &mut Steps<'_>) -> Result<(), ClientError> {
    let mut events = client.document_events(id).await?;
    while let Some(event) = events.next().await? {
        if let Ok(progress) = serde_json::from_str::<client::Progress>(&event.data) {
            steps.at(&progress);
        }
    }
    Ok(())
}

/// Shows how far a file is.
struct Steps<'a> {
    file: &'a SourceFile,
    progress: &'a Progress,
    halfway: bool,
}

impl Steps<'_> {
    fn at(&mut self, now: &client::Progress) {
        let stage = now.stage.as_str();
        if now.stage != DocumentStatus::Embedding {
            return self.progress.stage(&self.file.shown, stage);
        }
        if !std::mem::replace(&mut self.halfway, true) {
            self.progress.halfway(self.file.bytes);
        }
        self.progress.stage(&self.file.shown, &format!("{stage} {}/{}", now.done, now.total));
    }
}
