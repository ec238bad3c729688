//! The index on Weaviate 1.36 or newer: schema over REST, data and search over gRPC.
//!
//! One collection holds the passages of all tenants, each tenant's in a shard of its own. A named vector per embedding
//! model lets two models live side by side while one replaces the other. Vectors are made elsewhere; words are those
//! of `chat_core::text`, so that Weaviate only has to split them at spaces.

mod grpc;
mod holdings;
mod names;
mod points;
mod rest;
mod schema;
mod search;
mod wire;

use async_trait::async_trait;
use chat_core::{
    DocumentId, PortResult, Tenant, VersionId,
    ports::{Hit, Holding, Index, IndexQuery, Point},
};
use futures::{StreamExt, future::BoxFuture, stream::BoxStream};
use grpc::Grpc;
use rest::Rest;
use schema::Schema;
use std::fmt;

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

    /// Refuses a server that is too old, that does not accept the key, or does not answer gRPC.
    pub fn check(&self) -> BoxFuture<'_, PortResult<()>> {
        Box::pin(async move {
            self.rest.check_version().await?;
            self.grpc.is_ready().await
        })
    }

    /// Makes the collection, and the vector of an embedding model, if they are missing. Whether anything was.
    pub fn prepare<'a>(&'a self, model: &'a str) -> BoxFuture<'a, PortResult<bool>> {
        Box::pin(async move {
            self.check().await?;
            self.schema.prepare(&self.rest, model).await
        })
    }
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
        self.count_of_all(tenant, points::equals("version", &version.0.to_string())).await
    }

    async fn count_of(&self, tenant: &Tenant, model: &str, version: VersionId) -> PortResult<u64> {
        let version = points::equals("version", &version.0.to_string());
        self.count_of_all(tenant, points::both(points::equals("model", model), version)).await
    }

    async fn drop_model(&self, model: &str) -> PortResult<u64> {
        self.drop_some(model).await
    }

    async fn delete_version(&self, tenant: &Tenant, version: VersionId) -> PortResult<()> {
        self.delete(&names::shard(tenant), points::equals("version", &version.0.to_string())).await
    }

    async fn delete_document(&self, tenant: &Tenant, document: DocumentId) -> PortResult<()> {
        self.delete(&names::shard(tenant), points::equals("document", &document.0.to_string())).await
    }

    fn holdings(&self) -> BoxStream<'_, PortResult<Holding>> {
        self.held().boxed()
    }

    async fn discard(&self, holding: &Holding) -> PortResult<()> {
        self.delete(&holding.place, points::equals("version", &holding.version.0.to_string())).await
    }

    async fn ping(&self) -> PortResult<()> {
        futures::try_join!(self.rest.is_ready(), self.grpc.is_ready()).map(drop)
    }
}
