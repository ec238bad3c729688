//! Gives texts their vectors.

use crate::{
    JobContext,
    failure::of_model,
    measure,
    models::{embedder, live_model},
};
use chat_core::{
    Change, Chunk, EmbeddingModel, ErrorKind, KeyId, PortError, PortResult, Usage, UsageEntry, Version,
    ports::{Embedder, Point},
    text::keyword_text,
};

/// One vector per text, in as many calls as the model needs; and the tokens that it read.
pub(crate) async fn embed_texts(
    embedder: &dyn Embedder,
    texts: &[String],
) -> PortResult<(Vec<Vec<f32>>, u64)> {
    let (mut vectors, mut tokens) = (Vec::with_capacity(texts.len()), 0);
    for batch in texts.chunks(embedder.max_batch().max(1)) {
        let answer = embedder.embed(batch).await.map_err(of_model)?;
        if answer.vectors.len() != batch.len() {
            let message = format!("{} vectors came back for {} texts", answer.vectors.len(), batch.len());
            return Err(of_model(PortError::new(ErrorKind::Protocol, message)));
        }
        vectors.extend(answer.vectors);
        tokens += answer.tokens;
    }
    Ok((vectors, tokens))
}

/// Writes passages `from..to` of a version to the index, with their vectors under the model that searches use and the
/// one that is to follow it. Doing it again changes nothing. Returns the tokens that models read, if they count them.
///
/// While one follows another, one of them is enough: what the new one lacks is made up for before it takes over, and
/// where the old one cannot be called any more, searches do without it, too.
pub(crate) async fn embed_range(cx: &JobContext, version: &Version, from: u32, to: u32) -> PortResult<u64> {
    let models = cx.ports.store.embedding_models().await?;
    let passages = Passages::read(cx, version, from, to).await?;
    let model = live_model(&cx.ports, &models);
    let Some(next) = models.building() else { return passages.embed(cx, version, &model).await };
    let live = match embedder(&cx.ports, &model) {
        Err(error) => Err(error),
        Ok(_) => match passages.embed(cx, version, &model).await {
            Err(error) if error.kind.is_retryable() => return Err(error),
            ended => ended,
        },
    };
    match (live, passages.embed(cx, version, next).await) {
        (Ok(tokens), Err(error)) => {
            tracing::warn!(model = next.name, %error, "passages get vectors of the next embedding model later");
            Ok(tokens)
        }
        (Err(error), Ok(tokens)) => {
            tracing::warn!(%error, "passages have vectors of the next embedding model only");
            Ok(tokens)
        }
        (live, next) => Ok(live? + next?),
    }
}

/// What the embedding model took for this job, counted for dashboards too.
pub(crate) fn spent(cx: &JobContext, key: Option<KeyId>, tokens: u64) -> Change {
    let cost = cx.options.embedding_price.map(|price| tokens as f64 * price / 1e6);
    measure::tokens(cx.ports.embedder.model(), "input", tokens);
    measure::cost(cx.ports.embedder.model(), cost);
    Change::RecordUsage(Box::new(UsageEntry {
        job: cx.claim.job,
        tenant: cx.claim.tenant.clone(),
        key,
        session: None,
        model: cx.ports.embedder.model().to_owned(),
        usage: Usage { input_tokens: tokens, output_tokens: 0, total_tokens: tokens, cost_usd: cost },
        at: cx.now(),
    }))
}

/// Writes passages `from..to` of a version to the index, with their vectors under one model.
pub(crate) async fn embed_under(
    cx: &JobContext,
    model: &EmbeddingModel,
    version: &Version,
    from: u32,
    to: u32,
) -> PortResult<()> {
    Passages::read(cx, version, from, to).await?.embed(cx, version, model).await.map(drop)
}

/// Passages, and what is embedded of each.
struct Passages(Vec<(Chunk, String)>);

impl Passages {
    async fn read(cx: &JobContext, version: &Version, from: u32, to: u32) -> PortResult<Self> {
        let chunks = cx.ports.store.chunk_range(version.id, from, to).await?;
        if chunks.len() != to.saturating_sub(from) as usize {
            let message = format!("passages {from}..{to} are {} in the store", chunks.len());
            return Err(PortError::internal(message));
        }
        let headed = |chunk: Chunk| {
            let text = chunk.headed();
            (chunk, text)
        };
        Ok(Self(chunks.into_iter().map(headed).collect()))
    }

    async fn embed(&self, cx: &JobContext, version: &Version, model: &EmbeddingModel) -> PortResult<u64> {
        let embedder = embedder(&cx.ports, model)?;
        let texts: Vec<String> = self.0.iter().map(|(_, text)| text.clone()).collect();
        let (vectors, tokens) = embed_texts(&*embedder, &texts).await?;
        let points = self.0.iter().zip(vectors);
        let points = points.map(|((chunk, text), vector)| point(version, chunk, text, vector)).collect();
        cx.ports.index.upsert(&version.tenant, &model.name, points).await?;
        Ok(tokens)
    }
}

fn point(version: &Version, chunk: &Chunk, text: &str, vector: Vec<f32>) -> Point {
    Point {
        id: chunk.id,
        version: version.id,
        document: version.document,
        collection: version.collection,
        keywords: keyword_text(text),
        vector,
    }
}
