//! Uploads files, some at a time, and follows each document until it has ended.

use super::{earlier::Work, files::SourceFile};
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
    /// The document whose content it was to replace.
    pub replaces: Option<String>,
    /// The document, whatever its status; or why there is none.
    pub document: Result<Document, ClientError>,
}

impl FileEnd {
    /// Whether another document of the collection has these bytes at the moment. It may be about to change, too.
    pub fn may_fit_later(&self) -> bool {
        self.replaces.is_some() && self.document.as_ref().is_err_and(ClientError::is_conflict)
    }
}

/// Reads every file; each comes out when it has ended. `last`: a file that cannot have its document is read as a new one.
pub fn read_all<'a>(
    client: &'a Client,
    collection: &'a str,
    files: Vec<Work>,
    last: bool,
    progress: &'a Progress,
) -> impl Stream<Item = FileEnd> + Unpin + 'a {
    let uploaded = stream::iter(files).map(move |work| async move {
        progress.stage(&work.file.shown, "uploading");
        let sent = send(client, collection, &work, last).await;
        if sent.is_ok() {
            progress.uploaded();
        }
        (work, sent)
    });
    let followed = uploaded.buffer_unordered(UPLOADS).map(move |(work, sent)| async move {
        let Work { file, mut replaces } = work;
        let mut steps = Steps { file: &file, progress, halfway: false };
        let document = match sent {
            Ok((document, replaced)) => {
                replaces = replaces.filter(|_| replaced);
                follow(client, document, &mut steps).await
            }
            Err(error) => Err(error),
        };
        let halfway = steps.halfway;
        let end = FileEnd { file, replaces, document };
        if last || !end.may_fit_later() {
            progress.finished(end.file.bytes, halfway);
        }
        end
    });
    Box::pin(followed.buffer_unordered(FOLLOWED))
}

/// Sends a file, and says whether it took the place of its own text. A document may have been deleted meanwhile.
async fn send(
    client: &Client,
    collection: &str,
    work: &Work,
    last: bool,
) -> Result<(Document, bool), ClientError> {
    let SourceFile { path, shown, source, .. } = &work.file;
    if let Some(document) = &work.replaces {
        match client.replace(document, path).await {
            Err(error) if error.is_not_found() || (last && error.is_conflict()) => {}
            sent => return sent.map(|document| (document, true)),
        }
    }
    Ok((client.upload(collection, path, shown, source).await?, false))
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
