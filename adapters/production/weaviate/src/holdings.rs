//! What is in the index, shard by shard, without a question.

use crate::{
    WeaviateIndex,
    points::or_nothing,
    wire::{MetadataRequest, PropertiesRequest, SearchReply, SearchRequest, SearchResult},
};
use chat_core::{PortResult, VersionId, ports::Holding};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use std::collections::HashSet;
use uuid::Uuid;

/// How many objects are read at once; a version's are seldom more.
const PAGE: u32 = 1_000;
const VERSION: &str = "version";

impl WeaviateIndex {
    pub(crate) fn held(&self) -> impl Stream<Item = PortResult<Holding>> {
        stream::once(self.schema.shards(&self.rest))
            .map_ok(|shards| stream::iter(shards).map(Ok))
            .try_flatten()
            .map_ok(|shard| self.held_in(shard))
            .try_flatten()
    }

    /// Objects come in the order of their ids, so the last id of a page leads to the next.
    fn held_in(&self, shard: String) -> impl Stream<Item = PortResult<Holding>> {
        stream::try_unfold(Some(String::new()), move |after| {
            let shard = shard.clone();
            async move {
                let Some(after) = after else { return Ok(None) };
                let found = self.page(&shard, after).await?;
                let last = found.last().and_then(|last| last.metadata.as_ref()).map(|last| last.id.clone());
                let last = last.filter(|_| found.len() >= PAGE as usize);
                let versions: HashSet<_> = found.iter().filter_map(version).collect();
                let held = versions.into_iter().map(move |version| Holding { place: shard.clone(), version });
                Ok(Some((stream::iter(held).map(Ok), last)))
            }
        })
        .try_flatten()
    }

    async fn page(&self, shard: &str, after: String) -> PortResult<Vec<SearchResult>> {
        let request = SearchRequest {
            collection: self.schema.collection.clone(),
            tenant: shard.to_owned(),
            properties: Some(PropertiesRequest {
                non_ref_properties: vec![VERSION.to_owned()],
                ..PropertiesRequest::default()
            }),
            metadata: Some(MetadataRequest { uuid: true, ..MetadataRequest::default() }),
            limit: PAGE,
            after,
            uses_127_api: true,
            ..SearchRequest::default()
        };
        Ok(or_nothing(self.grpc.search(request).await, SearchReply::default())?.results)
    }
}

fn version(found: &SearchResult) -> Option<VersionId> {
    let fields = &found.properties.as_ref()?.non_ref_props.as_ref()?.fields;
    Uuid::parse_str(&fields.get(VERSION)?.text_value).ok().map(VersionId)
}
