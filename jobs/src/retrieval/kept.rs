//! Remembers which passages a question found: ids and scores, never text.

use super::{Found, SearchRequest, resolve};
use chat_core::{
    ChunkId, PortResult, Tenant, memo,
    ports::{Hit, Ports},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, time::Duration};

/// How long a search is remembered.
const TTL: Duration = Duration::from_mins(15);

/// One passage of a remembered search.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept(ChunkId, f32, Option<f32>, Option<f32>);

impl Kept {
    pub(super) fn of(found: &Found) -> Self {
        Self(found.passage.chunk.id, found.score, found.vector, found.keyword)
    }

    fn hit(&self) -> Hit {
        Hit { id: self.0, score: self.1, vector: self.2, keyword: self.3 }
    }
}

/// The key of a search: everything that its result depends on, and the revision of what can be found.
pub(super) fn key(request: &SearchRequest, query: &str, model: &str, revision: u64) -> String {
    let mut collections: Vec<String> = request.collections.iter().map(ToString::to_string).collect();
    collections.sort_unstable();
    collections.dedup();
    let mut filter: Vec<_> = request.filter.iter().collect();
    filter.sort_unstable_by_key(|(key, _)| *key);
    let all =
        json!([request.tenant, revision, model, query, collections, request.limit, request.mode, filter]);
    let mut key = String::from("search:");
    for byte in Sha256::digest(all.to_string()) {
        let _ = write!(key, "{byte:02x}");
    }
    key
}

/// What was remembered, unless some of it cannot be found any more.
pub(super) async fn recall(ports: &Ports, tenant: &Tenant, key: &str) -> PortResult<Option<Vec<Found>>> {
    let found = remembered(ports, tenant, key).await?;
    memo::count(memo::SEARCHES, found.is_some());
    Ok(found)
}

async fn remembered(ports: &Ports, tenant: &Tenant, key: &str) -> PortResult<Option<Vec<Found>>> {
    let Some(value) = ports.cache.get(key).await else {
        return Ok(None);
    };
    let Ok(kept) = serde_json::from_str::<Vec<Kept>>(&value) else {
        return Ok(None);
    };
    let hits: Vec<Hit> = kept.iter().map(Kept::hit).collect();
    let found = resolve(ports, tenant, &hits).await?;
    Ok((found.len() == hits.len()).then_some(found))
}

/// Remembers a search. Nobody waits for it.
pub(super) fn keep(ports: &Ports, key: String, kept: &[Kept]) {
    let Ok(value) = serde_json::to_string(kept) else { return };
    let cache = ports.cache.clone();
    #[expect(clippy::disallowed_methods, reason = "ends with its one command, and may be lost")]
    tokio::spawn(async move { cache.put(&key, value.into(), TTL).await });
}
