//! Words of a question that no passage has, but nearly. An index that has all words at hand mends them itself; for one
//! that does not, the rows tell which words there are.

use chat_core::{PortResult, Tenant, ports::Store, text};
use std::collections::HashMap;

/// The question's words as they were meant, if any of them was misspelt and the rows know better.
pub(super) async fn mended(
    store: &dyn Store,
    tenant: &Tenant,
    terms: &[String],
) -> PortResult<Option<Vec<String>>> {
    let mut known = HashMap::new();
    if !count(store, tenant, text::suspects(terms).cloned().collect(), &mut known).await? {
        return Ok(None);
    }
    let unknown = text::suspects(terms).filter(|word| known.get(*word) == Some(&0)).take(text::MOST_MENDED);
    let alternatives = unknown.flat_map(|word| text::alternatives(word)).collect();
    if !count(store, tenant, alternatives, &mut known).await? {
        return Ok(None);
    }
    let meant = text::corrected(terms, |word| known.get(word).copied().unwrap_or(0));
    Ok((meant != terms).then(|| meant.into_iter().map(Into::into).collect()))
}

/// Adds how often the rows have these words. Whether there was anything to count.
async fn count(
    store: &dyn Store,
    tenant: &Tenant,
    words: Vec<String>,
    known: &mut HashMap<String, usize>,
) -> PortResult<bool> {
    if words.is_empty() {
        return Ok(false);
    }
    let Some(counts) = store.word_frequencies(tenant, &words).await? else { return Ok(false) };
    known.extend(words.into_iter().zip(counts.into_iter().map(|count| count as usize)));
    Ok(true)
}
