//! Whether the configured embedding model is the one that searches use, and what is done if it is not.

use super::Crew;
use chat_core::{PortResult, ports::Ports};
use chat_jobs::choose_model;

/// Whoever is all of the system has the configured model take over; a command that ends soon only records the first
/// one; others leave it to `chat init`, and say so.
pub(super) async fn settle(ports: &Ports, crew: &Crew) {
    let settled = match crew {
        Crew::Engines(_) => choose(ports).await,
        Crew::Once => first(ports).await,
        Crew::Nobody | Crew::Lane(_) | Crew::Lanes(_) => compare(ports).await,
    };
    if let Err(error) = settled {
        tracing::warn!(%error, "which embedding model searches use was not settled: the next start does it");
    }
}

async fn choose(ports: &Ports) -> PortResult<()> {
    let chosen = choose_model(ports).await?;
    if let Some((next, job)) = chosen.building {
        tracing::info!(
            live = chosen.live, next, job.id = %job,
            "searches go on with the embedding model that they used, until documents have vectors of the next one"
        );
    }
    Ok(())
}

async fn first(ports: &Ports) -> PortResult<()> {
    if ports.store.embedding_models().await?.live().is_none() {
        choose(ports).await
    } else {
        compare(ports).await
    }
}

async fn compare(ports: &Ports) -> PortResult<()> {
    let models = ports.store.embedding_models().await?;
    let configured = ports.embedder.model();
    if models.live().is_some() && !models.wants(configured) {
        tracing::warn!(
            configured,
            live = models.live().map(|model| model.name.as_str()),
            "EMBEDDING_MODEL is not the model that searches use: `chat init` has it take over"
        );
    }
    Ok(())
}
