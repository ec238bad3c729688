//! The index on Weaviate 1.36 or newer: schema over REST, data and search over gRPC.
//!
//! One collection holds the passages of all tenants, each tenant's in a shard of its own. A named vector per embedding
//! model lets two models live side by side while one replaces the other. Vectors are made elsewhere; words are those
//! of `chat_core::text`, so that Weaviate only has to split them at spaces.

mod grpc;
mod points;
mod rest;
mod schema;
mod search;
mod wire;

use async_trait::async_trait;
use chat_core::{
    DocumentId, PortResult, Tenant, VersionId,
    ports::{Hit, Index, IndexQuery, Point},
};
use futures::future::BoxFuture;
use grpc::Grpc;
use rest::Rest;
use schema::Schema;
use std::fmt;
use uuid::Uuid;

/// Where Weaviate is.
#[derive(Clone)]
pub struct WeaviateOptions {
    /// Its REST interface, `http:` or `https:`.
    pub url: String,
    /// Its gRPC port, on the same host.
    pub grpc_port: u16,
    /// The key, if it wants one.
    pub api_key: Option<String>,
    /// What the collection's name begins with; a capital letter comes first.
    pub collection: String,
}

impl fmt::Debug for WeaviateOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, grpc_port, collection, .. } = self;
        f.debug_struct("WeaviateOptions")
            .field("url", url)
            .field("grpc_port", grpc_port)
            .field("collection", collection)
            .finish_non_exhaustive()
    }
}

/// Passages and their vectors in Weaviate.
pub struct WeaviateIndex {
    rest: Rest,
    grpc: Grpc,
    schema: Schema,
}

impl WeaviateIndex {
    /// A client. Nothing is asked yet.
    pub fn new(options: &WeaviateOptions) -> PortResult<Self> {
        let rest = Rest::new(options)?;
        Ok(Self {
            grpc: Grpc::new(options)?,
            schema: Schema::new(format!("{}Passage", options.collection)),
            rest,
        })
    }

    /// Refuses a server that is too old, or that does not accept the key.
    pub fn check(&self) -> BoxFuture<'_, PortResult<()>> {
        Box::pin(async move { self.rest.check_version().await })
    }

    /// Makes the collection, and the vector of an embedding model, if they are missing. Whether anything was.
    pub fn prepare<'a>(&'a self, model: &'a str) -> BoxFuture<'a, PortResult<bool>> {
        Box::pin(async move {
            self.check().await?;
            self.schema.prepare(&self.rest, model).await
        })
    }
}

/// The name of a tenant's shard: letters, digits, `-` and `_`, at most 64 of them.
fn shard(tenant: &Tenant) -> String {
    let name = tenant.as_str();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=60).contains(&name.len()) && name.bytes().all(plain) {
        return format!("t-{name}");
    }
    format!("h-{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).simple())
}

#[async_trait]
impl Index for WeaviateIndex {
    async fn upsert(&self, tenant: &Tenant, model: &str, points: Vec<Point>) -> PortResult<()> {
        self.schema.ensure(&self.rest, model).await?;
        self.add(tenant, model, &points).await
    }

    async fn search(&self, query: IndexQuery) -> PortResult<Vec<Hit>> {
        self.find(query).await
    }

    async fn count(&self, tenant: &Tenant, version: VersionId) -> PortResult<u64> {
        self.count_of(tenant, points::equals("version", &version.0.to_string())).await
    }

    async fn delete_version(&self, tenant: &Tenant, version: VersionId) -> PortResult<()> {
        self.delete(tenant, points::equals("version", &version.0.to_string())).await
    }

    async fn delete_document(&self, tenant: &Tenant, document: DocumentId) -> PortResult<()> {
        self.delete(tenant, points::equals("document", &document.0.to_string())).await
    }

    async fn ping(&self) -> PortResult<()> {
        self.rest.is_ready().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_tenant_has_a_shard_of_its_own() {
        let long = "x".repeat(61);
        let tenants = ["default", "a_b-C", "租户", "a b", "a/b", "t-default", "", &long];
        let shards: HashSet<_> = tenants.iter().map(|name| shard(&Tenant::from(*name))).collect();
        assert_eq!(shards.len(), tenants.len());
        for name in &shards {
            assert!(
                name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)),
                "{name}"
            );
        }
    }
}
