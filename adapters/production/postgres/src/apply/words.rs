//! The words of passages, for keyword search in the rows.

use super::{Tx, commit::Failed};
use chat_core::{
    Chunk, PortError, Tenant, VersionId,
    text::{PASSAGES_PER_ROW, word_keys},
};
use std::collections::BTreeMap;

/// Adds the words of passages to the rows of their neighbours. Doing it again writes nothing.
pub(super) async fn insert(tx: &mut Tx<'_>, version: VersionId, chunks: &[Chunk]) -> Result<(), Failed> {
    let tenant = sqlx::query_scalar!("SELECT tenant FROM document_versions WHERE id = $1", version.0)
        .fetch_optional(&mut *tx.conn)
        .await?;
    let Some(tenant) = tenant else { return Ok(()) };
    for (block, keys) in blocks(&tenant, chunks).await? {
        sqlx::query!(
            "INSERT INTO chunk_words (version, block, keys) VALUES ($1, $2, $3)
             ON CONFLICT (version, block) DO UPDATE
             SET keys = (SELECT array_agg(DISTINCT key) FROM unnest(chunk_words.keys || excluded.keys) key)
             WHERE NOT chunk_words.keys @> excluded.keys",
            version.0,
            block,
            &keys
        )
        .execute(&mut *tx.conn)
        .await?;
    }
    Ok(())
}

/// The words of each row, found where it holds up nobody.
async fn blocks(tenant: &str, chunks: &[Chunk]) -> Result<Vec<(i32, Vec<i32>)>, Failed> {
    let mut texts: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for chunk in chunks {
        texts.entry(chunk.ordinal / PASSAGES_PER_ROW).or_default().push(chunk.headed());
    }
    let tenant = Tenant::from(tenant);
    let keys = tokio::task::spawn_blocking(move || {
        let keys = |texts: &[String]| word_keys(&tenant, texts.iter().map(String::as_str));
        texts.iter().map(|(block, texts)| (block.cast_signed(), keys(texts))).collect()
    });
    keys.await.map_err(|error| PortError::internal("finding words failed").with_source(error).into())
}
