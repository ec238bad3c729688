//! Gives texts their vectors.

use crate::{JobContext, failure::of_model};
use chat_core::{
    Chunk, ErrorKind, PortError, PortResult, Version,
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

/// Writes passages `from..to` of a version to the index, with their vectors. Doing it again changes nothing.
pub(crate) async fn embed_range(cx: &JobContext, version: &Version, from: u32, to: u32) -> PortResult<()> {
    let chunks = cx.ports.store.chunk_range(version.id, from, to).await?;
    if chunks.len() != to.saturating_sub(from) as usize {
        let message = format!("passages {from}..{to} are {} in the store", chunks.len());
        return Err(PortError::internal(message));
    }
    let texts: Vec<String> = chunks.iter().map(Chunk::headed).collect();
    let (vectors, _) = embed_texts(&*cx.ports.embedder, &texts).await?;
    let points = chunks.iter().zip(&texts).zip(vectors);
    let points = points.map(|((chunk, text), vector)| point(version, chunk, text, vector)).collect();
    cx.ports.index.upsert(&version.tenant, cx.ports.embedder.model(), points).await
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
