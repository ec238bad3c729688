//! The gRPC interface.

use crate::{WeaviateOptions, rest::AWAY, wire};
use chat_core::{ErrorKind, PortError, PortResult};
use prost::Message;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tonic::{
    Code, Request, Status,
    client::Grpc as Client,
    codegen::http::uri::PathAndQuery,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, ClientTlsConfig, Endpoint},
};
use tonic_prost::ProstCodec;

const CONNECT: Duration = Duration::from_secs(2);
/// The longest that a search may take.
const SEARCH: Duration = Duration::from_secs(10);
/// The longest that a group of writes may take.
const WRITE: Duration = Duration::from_mins(1);
/// So long after a search found nobody there others do not try: each would wait as long, and who searches has another
/// way to answer.
const REST: Duration = Duration::from_secs(1);
/// A connection that says nothing is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// The largest answer.
const LARGEST: usize = 64 * 1024 * 1024;

pub(crate) struct Grpc {
    channel: Channel,
    port: u16,
    authorization: Option<MetadataValue<Ascii>>,
    /// When a search found nobody there.
    missed: Mutex<Option<Instant>>,
}

impl Grpc {
    pub(crate) fn new(options: &WeaviateOptions) -> PortResult<Self> {
        let invalid = || PortError::invalid("the index's address or key cannot be used");
        let (scheme, rest) = options.url.split_once("://").ok_or_else(invalid)?;
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let address = format!("{scheme}://{host}:{}", options.grpc_port);
        let mut endpoint = Endpoint::from_shared(address)
            .map_err(|error| invalid().with_source(error))?
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(CONNECT);
        if scheme == "https" {
            let tls = ClientTlsConfig::new().with_native_roots();
            endpoint = endpoint.tls_config(tls).map_err(|error| invalid().with_source(error))?;
        }
        let authorization = match &options.api_key {
            Some(key) => Some(format!("Bearer {key}").parse().map_err(|_| invalid())?),
            None => None,
        };
        Ok(Self {
            channel: endpoint.connect_lazy(),
            port: options.grpc_port,
            authorization,
            missed: Mutex::default(),
        })
    }

    /// Whether it is served at this port: a server whose REST interface answers may be asked for gRPC at another one. Any
    /// answer will do, also that there is no such method.
    pub(crate) async fn is_ready(&self) -> PortResult<()> {
        match self.ask::<(), ()>("grpc.health.v1.Health/Check", (), CONNECT).await {
            Err(error) if error.kind == ErrorKind::Unavailable => Err(PortError {
                message: format!("the index does not answer gRPC at port {} (WEAVIATE_GRPC_PORT)", self.port),
                ..error
            }),
            _ => Ok(()),
        }
    }

    pub(crate) async fn add(
        &self,
        request: wire::BatchObjectsRequest,
    ) -> PortResult<wire::BatchObjectsReply> {
        self.ask("weaviate.v1.Weaviate/BatchObjects", request, WRITE).await
    }

    pub(crate) async fn delete(
        &self,
        request: wire::BatchDeleteRequest,
    ) -> PortResult<wire::BatchDeleteReply> {
        self.ask("weaviate.v1.Weaviate/BatchDelete", request, WRITE).await
    }

    pub(crate) async fn search(&self, request: wire::SearchRequest) -> PortResult<wire::SearchReply> {
        if self.missed().is_some_and(|at| at.elapsed() < REST) {
            return Err(unavailable());
        }
        let reply = self.ask("weaviate.v1.Weaviate/Search", request, SEARCH).await;
        let away = reply.as_ref().is_err_and(|error| error.kind == ErrorKind::Unavailable);
        *self.missed() = away.then(Instant::now);
        reply
    }

    fn missed(&self) -> MutexGuard<'_, Option<Instant>> {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn aggregate(
        &self,
        request: wire::AggregateRequest,
    ) -> PortResult<wire::AggregateReply> {
        self.ask("weaviate.v1.Weaviate/Aggregate", request, SEARCH).await
    }

    async fn ask<Q, A>(&self, method: &'static str, message: Q, limit: Duration) -> PortResult<A>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let mut client = Client::new(self.channel.clone())
            .max_decoding_message_size(LARGEST)
            .max_encoding_message_size(LARGEST);
        client.ready().await.map_err(|error| unavailable().with_source(error))?;
        let mut request = Request::new(message);
        request.set_timeout(limit);
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        let path = PathAndQuery::try_from(format!("/{method}"))
            .map_err(|error| PortError::internal("no such method").with_source(error))?;
        let answer = client.unary(request, path, ProstCodec::<Q, A>::default());
        let answer = tokio::time::timeout(limit, answer).await.map_err(|_| {
            PortError::unavailable("the index does not answer in time").with_retry_after(Some(AWAY))
        })?;
        answer.map(tonic::Response::into_inner).map_err(refused)
    }
}

fn unavailable() -> PortError {
    PortError::unavailable("the index does not answer").with_retry_after(Some(AWAY))
}

fn refused(status: Status) -> PortError {
    let text = status.message();
    // Nothing was ever put there: Weaviate knows a shard, a collection or a vector only since then.
    let unknown =
        ["tenant not found", "could not find class", "class not found", "does not have named vector"]
            .iter()
            .any(|part| text.to_ascii_lowercase().contains(part));
    let (kind, message) = match status.code() {
        _ if unknown => (ErrorKind::NotFound, "the index does not know this yet"),
        Code::Unauthenticated | Code::PermissionDenied => {
            (ErrorKind::Unauthorized, "the index refuses the key")
        }
        Code::ResourceExhausted => (ErrorKind::RateLimited, "the index asks for a pause"),
        Code::Unavailable | Code::Cancelled | Code::Aborted | Code::DeadlineExceeded | Code::Unknown => {
            (ErrorKind::Unavailable, "the index does not answer")
        }
        _ => (ErrorKind::Internal, "the index refused a request"),
    };
    PortError::new(kind, message)
        .with_retry_after((kind == ErrorKind::Unavailable).then_some(AWAY))
        .with_source(status)
}
