//! From files to documents: identical bytes in a collection are one document.

use super::StagedFile;
use crate::{caller::Caller, problem::Problem, state::AppState, views::DocumentView};
use chat_core::{
    Change, CollectionId, Document, DocumentId, DocumentStatus, ErrorKind, NewJob, NewVersion, Progress,
    Timestamp, VersionId,
};
use chat_jobs::IngestDocument;
use serde_json::{Value, json};
use std::collections::HashMap;

/// A version that is about to be accepted, with the job that ingests it.
pub struct Ingestion {
    /// The version.
    pub version: NewVersion,
    /// The job.
    pub job: NewJob,
}

impl Ingestion {
    /// The ingestion of a file as the next version of a document.
    pub fn of(caller: &Caller, document: DocumentId, file: &StagedFile, now: Timestamp) -> Self {
        let id: VersionId = file.blob.version;
        let job = IngestDocument { version: id }.job_of(&caller.tenant, document, file.blob.bytes);
        let version = NewVersion {
            id,
            document,
            tenant: caller.tenant.clone(),
            upload: file.upload(),
            job: job.id,
            follows: None,
            created_at: now,
        };
        Self { version, job }
    }

    /// The document as it will be, if it was there before. As long as an earlier version answers, that one is shown.
    pub fn after(&self, mut document: Document) -> Document {
        let bytes = self.version.upload.bytes;
        if document.live_version.is_none() {
            document.upload = self.version.upload.clone();
            document.charset = None;
        }
        document.status = DocumentStatus::Queued;
        document.progress = Progress { stage: DocumentStatus::Queued, done: 0, total: bytes };
        document.version += 1;
        document.version_id = self.version.id;
        document.error = None;
        document.job = self.version.job;
        document.updated_at = self.version.created_at;
        document
    }

    /// What is written for another version of a document that is there.
    pub fn changes(self) -> Vec<Change> {
        vec![Change::InsertVersion(Box::new(self.version)), Change::Enqueue(Box::new(self.job))]
    }
}

/// What an upload becomes.
#[derive(Default)]
struct Accepted {
    changes: Vec<Change>,
    documents: Vec<DocumentView>,
    /// Which files are needed.
    used: Vec<bool>,
}

/// What is to be written for these files, and how their documents look then. The files that are needed are kept,
/// the others go when they are dropped.
pub async fn accept(
    state: &AppState,
    caller: &Caller,
    collection: CollectionId,
    files: &mut [StagedFile],
    metadata: Option<&Value>,
) -> Result<(Vec<Change>, Vec<DocumentView>), Problem> {
    let mut accepted = Accepted::default();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (at, file) in files.iter().enumerate() {
        if let Some(first) = seen.get(file.blob.sha256.as_str()) {
            let view = accepted.documents[*first].clone();
            accepted.add(Vec::new(), view.duplicate());
            continue;
        }
        seen.insert(&file.blob.sha256, at);
        match twin(state, caller, collection, &file.blob.sha256).await? {
            None => accepted.new_document(state, caller, collection, file, metadata),
            Some(twin) if !needs_another_try(&twin, file) => {
                accepted.add(Vec::new(), DocumentView::from(twin).duplicate());
            }
            Some(twin) => {
                let ingestion = Ingestion::of(caller, twin.id, file, state.ports.clock.now());
                let view = DocumentView::from(ingestion.after(twin)).duplicate();
                accepted.add(ingestion.changes(), view);
            }
        }
    }
    for (file, used) in files.iter_mut().zip(&accepted.used) {
        file.blob.keep(*used);
    }
    Ok((accepted.changes, accepted.documents))
}

/// Whether what was accepted is durable; if not, its files are not needed.
pub fn settle(files: &mut [StagedFile], durable: bool) {
    if !durable {
        for file in files {
            file.blob.keep(false);
        }
    }
}

/// The document of the collection with the same bytes.
async fn twin(
    state: &AppState,
    caller: &Caller,
    collection: CollectionId,
    sha256: &str,
) -> Result<Option<Document>, Problem> {
    let store = &state.ports.store;
    let Some(id) = store.document_with_hash(collection, sha256).await? else {
        return Ok(None);
    };
    match store.document(&caller.tenant, id).await {
        Ok(document) => Ok(Some(document)),
        // Deleted in between.
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The same bytes again make a difference if they could not be read, or are to be read in another way.
fn needs_another_try(twin: &Document, file: &StagedFile) -> bool {
    let given_up = matches!(twin.status, DocumentStatus::Failed | DocumentStatus::Cancelled);
    given_up || (file.charset.is_some() && file.charset != twin.upload.charset)
}

impl Accepted {
    fn add(&mut self, changes: Vec<Change>, view: DocumentView) {
        self.used.push(!changes.is_empty());
        self.changes.extend(changes);
        self.documents.push(view);
    }

    fn new_document(
        &mut self,
        state: &AppState,
        caller: &Caller,
        collection: CollectionId,
        file: &StagedFile,
        metadata: Option<&Value>,
    ) {
        let (id, now) = (DocumentId::new(), state.ports.clock.now());
        let metadata = metadata.cloned().unwrap_or_else(|| json!({}));
        let Ingestion { version, job } = Ingestion::of(caller, id, file, now);
        let view = DocumentView::from(first(collection, &metadata, &version));
        let insert = Change::InsertDocument { id, collection, metadata, version: Box::new(version) };
        self.add(vec![insert, Change::Enqueue(Box::new(job))], view);
    }
}

/// A document with its first version.
fn first(collection: CollectionId, metadata: &Value, version: &NewVersion) -> Document {
    Document {
        id: version.document,
        tenant: version.tenant.clone(),
        collection,
        upload: version.upload.clone(),
        metadata: metadata.clone(),
        status: DocumentStatus::Queued,
        progress: Progress { stage: DocumentStatus::Queued, done: 0, total: version.upload.bytes },
        version: 1,
        version_id: version.id,
        live_version: None,
        chunk_count: 0,
        charset: None,
        error: None,
        job: version.job,
        created_at: version.created_at,
        updated_at: version.created_at,
    }
}
