//! Which embedding model searches use, and how another takes its place: its vectors are made beside the old ones, one
//! transaction switches, and the old ones are removed.

use crate::{BuildVectors, DropVectors, JobKind};
use chat_core::{
    Change, EmbeddingModel, EmbeddingModels, JobId, PortError, PortResult, Tenant, Timestamp, Unique,
    ports::{Embedder, Ports},
};
use std::{sync::Arc, time::Duration};

/// How long searches that began before a switch may still need the old vectors.
const LAST_SEARCHES: Duration = Duration::from_secs(15);

/// What `choose_model` found and began.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// The model whose vectors searches use.
    pub live: String,
    /// The model that is to follow it, and the job that makes its vectors.
    pub building: Option<(String, JobId)>,
    /// Models whose vectors are removed, and the jobs that do it.
    pub dropping: Vec<(String, JobId)>,
}

/// Has the configured embedding model become the one that searches use: the first at once, any other as soon as every
/// document has its vectors. Safe to repeat; what was begun goes on. `Conflict` while old vectors of the configured
/// model are being removed.
pub async fn choose_model(ports: &Ports) -> PortResult<Chosen> {
    let (name, dimensions) = (ports.embedder.model().to_owned(), ports.embedder.dimensions());
    let change = Change::BuildModel { name: name.clone(), dimensions };
    let refused = ports.dispatcher().record(vec![change]).await.err();
    let models = ports.store.embedding_models().await?;
    // What is being removed is looked after even so.
    let chosen = go_on(ports, &models).await?;
    refused.map_or(Ok(chosen), Err)
}

/// Enqueues the jobs that the recorded models need, unless they are there.
pub(crate) async fn go_on(ports: &Ports, models: &EmbeddingModels) -> PortResult<Chosen> {
    let now = ports.clock.now();
    let mut jobs: Vec<_> = models.building().map(|model| build(&model.name)).into_iter().collect();
    let builds = jobs.len();
    jobs.extend(models.dropping().map(|model| drop_later(&model.name, now)));
    let mut ids = Vec::new();
    if !jobs.is_empty() {
        ids = ports.dispatcher().record(jobs).await?.jobs;
    }
    let named = |model: &EmbeddingModel, id: Option<&JobId>| Some((model.name.clone(), *id?));
    Ok(Chosen {
        live: models.live().map_or_else(|| ports.embedder.model().to_owned(), |model| model.name.clone()),
        building: models.building().and_then(|model| named(model, ids.first())),
        dropping: models
            .dropping()
            .zip(ids.iter().skip(builds))
            .filter_map(|(model, id)| named(model, Some(id)))
            .collect(),
    })
}

/// The job that makes a model's vectors; there is one at a time.
pub(crate) fn build_job(build: &BuildVectors) -> chat_core::NewJob {
    let mut job = build.job(&Tenant::default());
    job.unique = Some(Unique { key: format!("build_vectors:{}", build.model), while_unfinished: true });
    job
}

fn build(model: &str) -> Change {
    let first = BuildVectors { model: model.to_owned(), after: None, check: Vec::new() };
    Change::Enqueue(Box::new(build_job(&first)))
}

/// Removes a model's vectors when searches that still use them have ended.
pub(crate) fn drop_later(model: &str, now: Timestamp) -> Change {
    let mut job = DropVectors { model: model.to_owned() }.job(&Tenant::default());
    job.unique = Some(Unique { key: format!("drop_vectors:{model}"), while_unfinished: true });
    job.run_at = Some(now.plus(LAST_SEARCHES));
    Change::Enqueue(Box::new(job))
}

/// What embeds for a recorded model. `Unavailable` if these settings do not lead to it: a process with others may.
pub(crate) fn embedder(ports: &Ports, model: &EmbeddingModel) -> PortResult<Arc<dyn Embedder>> {
    if ports.embedder.model() == model.name {
        return Ok(ports.embedder.clone());
    }
    ports.embedder.named(&model.name, model.dimensions).ok_or_else(|| {
        PortError::unavailable(format!(
            "the embedding model {} cannot be called with the settings of this process, which name {}",
            model.name,
            ports.embedder.model()
        ))
    })
}

/// The model that searches use: the recorded one, or the configured one as long as none is.
pub(crate) fn live_model(ports: &Ports, models: &EmbeddingModels) -> EmbeddingModel {
    models.live().cloned().unwrap_or_else(|| EmbeddingModel {
        name: ports.embedder.model().to_owned(),
        dimensions: ports.embedder.dimensions(),
        state: chat_core::ModelState::Live,
    })
}
