//! Has the vectors of the next embedding model made, page by page, and lets it take over when every version that
//! answers has them.

use crate::{
    BackfillChunks, Done, JobContext, JobError, JobKind,
    documents::answering,
    models::{build_job, drop_later},
};
use async_trait::async_trait;
use chat_core::{
    Change, EmbeddingModels, ErrorKind, Lane, NewJob, PortResult, RetryPolicy, Version, VersionId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// How many versions are looked up at once.
const PAGE: u32 = 64;
/// How many children one page has, unless a single version needs more.
const CHILDREN: usize = 64;
/// How long to wait before versions that could not be done are tried again.
const AGAIN: Duration = Duration::from_secs(30);

/// Makes the vectors of one page of versions, and goes on with the next when they are made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BuildVectors {
    /// The model.
    pub model: String,
    /// The last version of the pages before.
    pub after: Option<VersionId>,
    /// Versions of the page before, whose vectors are to be counted now.
    pub check: Vec<VersionId>,
}

#[async_trait]
impl JobKind for BuildVectors {
    const KIND: &'static str = "build_vectors.v1";
    const LANE: Lane = Lane::Maintenance;
    const RETRY: RetryPolicy =
        RetryPolicy { max_attempts: 20, base: Duration::from_secs(1), cap: Duration::from_mins(5) };
    const TIMEOUT: Duration = Duration::from_mins(30);
    const WAITS: bool = true;

    async fn run(&self, cx: &JobContext) -> Result<Done, JobError> {
        let models = cx.ports.store.embedding_models().await?;
        if !self.is_wanted(&models) {
            return Ok(drops(cx, &models));
        }
        for version in &self.check {
            if let Some(version) = answering(cx, *version).await? {
                self.count(cx, &version).await?;
            }
        }
        let progress = self.progress(cx).await?;
        cx.progress(progress.clone()).await?;
        let page = self.page(cx).await?;
        if page.last.is_some() {
            return Ok(Done::with(self.next(cx, page, progress)));
        }
        cx.commit(vec![Change::SwitchModel(self.model.clone())]).await?;
        let models = cx.ports.store.embedding_models().await?;
        if self.is_wanted(&models) {
            tracing::warn!(model = self.model, %progress, "some documents still lack vectors of the next embedding model");
            return Ok(Done::with(self.again(cx, progress)));
        }
        tracing::info!(model = self.model, %progress, "searches use the next embedding model now");
        Ok(Done { result: Some(progress), ..drops(cx, &models) })
    }
}

/// A page of versions and the jobs that it needs.
#[derive(Default)]
struct Page {
    last: Option<VersionId>,
    versions: Vec<VersionId>,
    children: Vec<NewJob>,
}

impl BuildVectors {
    fn is_wanted(&self, models: &EmbeddingModels) -> bool {
        models.building().is_some_and(|model| model.name == self.model)
    }

    async fn progress(&self, cx: &JobContext) -> PortResult<Value> {
        let (done, total) = cx.ports.store.indexed_under(&self.model).await?;
        Ok(json!({"model": self.model, "documents": done, "of": total}))
    }

    /// Notes that a version has all of its vectors, if it has. Whether it has.
    async fn count(&self, cx: &JobContext, version: &Version) -> PortResult<bool> {
        let indexed = cx.ports.index.count_of(&version.tenant, &self.model, version.id).await?;
        if indexed < version.chunk_count {
            return Ok(false);
        }
        let noted = Change::VersionIndexed { version: version.id, models: vec![self.model.clone()] };
        match cx.commit(vec![noted]).await {
            // The model is not wanted any more: the next look at the models says so.
            Err(error) if error.kind == ErrorKind::Conflict => Ok(true),
            noted => noted.map(|_| true),
        }
    }

    /// The next versions without vectors. Those that have them, whoever made them, need no children.
    async fn page(&self, cx: &JobContext) -> PortResult<Page> {
        let mut page = Page::default();
        let found = cx.ports.store.answering_versions(Some(&self.model), self.after, PAGE).await?;
        for id in found {
            page.last = Some(id);
            let Some(version) = answering(cx, id).await? else { continue };
            if !self.count(cx, &version).await? {
                page.versions.push(id);
                page.children.extend(BackfillChunks::whole(&version, &self.model));
            }
            if page.children.len() >= CHILDREN {
                break;
            }
        }
        Ok(page)
    }

    /// The job that goes on when the children of this page have ended.
    fn next(&self, cx: &JobContext, page: Page, progress: Value) -> Vec<Change> {
        let next = Self { model: self.model.clone(), after: page.last, check: page.versions };
        let mut next = build_job(&next);
        next.pending_children = page.children.len() as u32;
        let parent = next.id;
        let mut changes = vec![Change::Enqueue(Box::new(next)), Change::JobProgress(parent, progress)];
        changes.extend(
            page.children
                .into_iter()
                .map(|child| Change::Enqueue(Box::new(NewJob { parent: Some(parent), ..child }))),
        );
        tracing::debug!(job = %cx.claim.job, children = changes.len() - 2, "a page of vectors is made");
        changes
    }

    /// Everything from the start, a little later.
    fn again(&self, cx: &JobContext, progress: Value) -> Vec<Change> {
        let again = Self { model: self.model.clone(), after: None, check: Vec::new() };
        let mut again = build_job(&again);
        again.run_at = Some(cx.now().plus(AGAIN));
        let id = again.id;
        vec![Change::Enqueue(Box::new(again)), Change::JobProgress(id, progress)]
    }
}

/// The jobs that remove what no search needs any more.
fn drops(cx: &JobContext, models: &EmbeddingModels) -> Done {
    Done::with(models.dropping().map(|model| drop_later(&model.name, cx.now())).collect())
}
