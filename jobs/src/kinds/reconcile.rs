//! Compares the rows with the index and with the files, and has put right what differs. Nothing should: what is written
//! and what is removed is settled by the jobs that do it. This finds what a lost disk, a restored copy or a defect left.
//! What no row knows is counted, and removed only where index and files can be nobody else's.

use crate::{
    BackfillChunks, DeleteDocument, Done, JobContext, JobError, JobKind, RemoveVersion,
    documents::{answering, text_blob},
};
use async_trait::async_trait;
use chat_core::{
    Change, DocumentStatus, ErrorKind, Lane, NewJob, PortResult, RetryPolicy, Unique, Version, ports::Holding,
};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// How many rows or files are compared at once.
const PAGE: usize = 500;
/// Files younger than this may wait for the row that names them.
const YOUNG: Duration = Duration::from_hours(24);
/// Where the files of versions are.
const SEGMENTS: [&str; 2] = ["uploads", "text"];

/// Compares the rows of all tenants with the index and with the files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reconcile {}

#[async_trait]
impl JobKind for Reconcile {
    const KIND: &'static str = "reconcile.v1";
    const LANE: Lane = Lane::Maintenance;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 3, base: Duration::from_secs(30), cap: Duration::from_mins(10) };
    const TIMEOUT: Duration = Duration::from_hours(6);
    const WAITS: bool = true;

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        let mut findings = Findings::default();
        index_against_rows(cx, &mut findings).await?;
        rows_against_index_and_files(cx, &mut findings).await?;
        files_against_rows(cx, &mut findings).await?;
        if findings.differences() > 0 {
            tracing::warn!(findings = %findings.json(), "rows, index and files did not agree");
        }
        Ok(Done { result: Some(findings.json()), ..Done::default() })
    }
}

/// What was compared, and what did not agree.
#[derive(Default)]
struct Findings {
    /// Versions that answer.
    versions: u64,
    /// Versions whose passages were in the index, and should not be.
    stray_versions: u64,
    /// Versions that answer and lacked passages in the index.
    incomplete_versions: u64,
    /// Versions that answer and whose files are gone: only another upload brings those back.
    lost_files: u64,
    files: u64,
    /// Files that no version needs.
    stray_files: u64,
}

impl Findings {
    fn differences(&self) -> u64 {
        self.stray_versions + self.incomplete_versions + self.lost_files + self.stray_files
    }

    /// `rows` counts what did not agree, as other clean-ups count what they removed.
    fn json(&self) -> Value {
        json!({
            "task": "reconcile", "rows": self.differences(),
            "versions": self.versions, "stray_versions": self.stray_versions,
            "incomplete_versions": self.incomplete_versions, "lost_files": self.lost_files,
            "files": self.files, "stray_files": self.stray_files,
        })
    }
}

/// Passages of versions that do not answer and never will.
async fn index_against_rows(cx: &JobContext, findings: &mut Findings) -> PortResult<()> {
    let mut pages = cx.ports.index.holdings().try_chunks(PAGE).map_err(|error| error.1);
    while let Some(page) = pages.try_next().await? {
        for holding in page {
            findings.stray_versions += u64::from(removed(cx, &holding).await?);
        }
        cx.progress(findings.json()).await?;
    }
    Ok(())
}

/// Has the passages of a version removed, unless it answers or may do so yet.
async fn removed(cx: &JobContext, holding: &Holding) -> PortResult<bool> {
    let version = match cx.ports.store.version(holding.version).await {
        Ok(version) => version,
        Err(error) if error.kind == ErrorKind::NotFound => {
            // Rows come first and ids are never used again, so nobody waits for these; but they may be those of another
            // deployment that uses the same server.
            if cx.options.owns_stores {
                cx.ports.index.discard(holding).await?;
            }
            return Ok(true);
        }
        Err(error) => return Err(error),
    };
    let job = if version.deleted {
        DeleteDocument { document: version.document }.job(&version.tenant)
    } else if version.live_version == Some(version.id) || is_on_its_way(version.status) {
        return Ok(false);
    } else {
        RemoveVersion { version: version.id }.job(&version.tenant)
    };
    enqueue(cx, vec![about(&version, job)]).await?;
    Ok(true)
}

fn is_on_its_way(status: DocumentStatus) -> bool {
    use DocumentStatus::{Cancelled, Failed, Ready};
    !matches!(status, Ready | Failed | Cancelled)
}

/// Versions that answer, and lack passages in the index or one of their files.
async fn rows_against_index_and_files(cx: &JobContext, findings: &mut Findings) -> PortResult<()> {
    let models = cx.ports.store.embedding_models().await?;
    let live = models.live().map(|model| &*model.name);
    let mut after = None;
    loop {
        let page = cx.ports.store.answering_versions(None, after, PAGE as u32).await?;
        after = page.last().copied().or(after);
        for version in &page {
            let Some(version) = answering(cx, *version).await? else { continue };
            findings.versions += 1;
            if let Some(model) = live {
                findings.incomplete_versions += u64::from(completed(cx, &version, model).await?);
            }
            findings.lost_files += u64::from(lost_files(cx, &version).await?);
        }
        if page.len() < PAGE {
            return Ok(());
        }
        cx.progress(findings.json()).await?;
    }
}

/// Has the vectors of a version made again, if some are missing.
async fn completed(cx: &JobContext, version: &Version, model: &str) -> PortResult<bool> {
    let indexed = cx.ports.index.count_of(&version.tenant, model, version.id).await?;
    if indexed >= version.chunk_count {
        return Ok(false);
    }
    enqueue(cx, BackfillChunks::whole(version, model).collect()).await?;
    Ok(true)
}

async fn lost_files(cx: &JobContext, version: &Version) -> PortResult<bool> {
    for key in [version.upload.blob.clone(), text_blob(&version.tenant, version.id)] {
        match cx.ports.blobs.size(&key).await {
            Ok(_) => {}
            Err(error) if error.kind == ErrorKind::NotFound => {
                tracing::error!(document = %version.document, key, "a file of a document is gone: upload it again");
                return Ok(true);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Files of uploads whose commit never came, and of versions that are gone.
async fn files_against_rows(cx: &JobContext, findings: &mut Findings) -> PortResult<()> {
    let oldest = cx.now().0 - YOUNG.as_millis() as i64;
    for segment in SEGMENTS {
        let mut pages = cx.ports.blobs.list(segment).try_chunks(PAGE).map_err(|error| error.1);
        while let Some(page) = pages.try_next().await? {
            findings.files += page.len() as u64;
            let old = page.into_iter().filter(|file| file.written.0 < oldest);
            let keys: Vec<String> = old.map(|file| file.key).collect();
            for key in cx.ports.store.unneeded_blobs(&keys).await? {
                if cx.options.owns_stores {
                    cx.ports.blobs.delete(&key).await?;
                }
                findings.stray_files += 1;
            }
            cx.progress(findings.json()).await?;
        }
    }
    Ok(())
}

/// One job of a kind for a version at a time, however often it is found.
fn about(version: &Version, mut job: NewJob) -> NewJob {
    job.document = Some(version.document);
    job.unique = Some(Unique { key: format!("{}:{}", job.kind, version.id), while_unfinished: true });
    job
}

async fn enqueue(cx: &JobContext, jobs: Vec<NewJob>) -> PortResult<()> {
    cx.commit(jobs.into_iter().map(|job| Change::Enqueue(Box::new(job))).collect()).await.map(drop)
}
