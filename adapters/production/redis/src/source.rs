//! One server, the master that Sentinels name, or a cluster: where connections come from.

use crate::{
    conn::Conn,
    link::is_away,
    options::{RedisKind, RedisOptions},
};
use chat_core::{ErrorKind, PortError, PortResult};
use futures::future::select_ok;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, RedisError, RedisResult, TlsCertificates, TlsMode,
    aio::PubSub,
    cluster::{ClusterClient, ClusterConfig},
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use std::{io, time::Duration};
use tokio::{sync::Mutex, time::timeout};

/// How long a new connection may take, and before that the question to Sentinels where to.
const CONNECT: Duration = Duration::from_secs(2);
/// How long an answer may take before the server counts as away.
const ANSWER: Duration = Duration::from_secs(3);
/// The same for a command to a cluster with all its repetitions, and one second that it may wait on the server.
const ANSWER_OF_CLUSTER: Duration = Duration::from_secs(4);
/// How often a command to a cluster is repeated, which moves slots from node to node; then it counts as away.
const REPEATS: u32 = 3;
/// The pauses between them, in milliseconds.
const PAUSES: (u64, u64) = (20, 200);

/// Where connections come from.
pub(crate) enum Source {
    Single(Client),
    /// With a client for each of its seed nodes.
    Cluster(ClusterClient, Vec<Client>),
    Sentinel(Mutex<SentinelClient>),
}

impl Source {
    pub(crate) fn new(options: &RedisOptions) -> PortResult<Self> {
        let ca = options.ca.as_deref();
        let source = match &options.kind {
            RedisKind::Single(url) => client(url, ca).map(Self::Single),
            RedisKind::Cluster(nodes) => cluster(nodes, ca),
            RedisKind::Sentinel { .. } => sentinel(options).map(|client| Self::Sentinel(Mutex::new(client))),
        };
        source.map_err(|error| {
            PortError::new(ErrorKind::Invalid, "its address cannot be used").with_source(error)
        })
    }

    /// A connection whose answers come soon, or not at all. It has been tried: a server that is still loading, or a
    /// cluster without some of its slots, is no server yet.
    pub(crate) async fn connect(&self) -> RedisResult<Conn> {
        let mut conn = self.open(ANSWER).await?;
        conn.check().await?;
        Ok(conn)
    }

    /// A connection for commands that wait on the server.
    pub(crate) async fn connect_blocking(&self, wait: Duration) -> RedisResult<Conn> {
        self.open(wait + ANSWER).await
    }

    async fn open(&self, answer: Duration) -> RedisResult<Conn> {
        if let Self::Cluster(client, nodes) = self {
            let config = ClusterConfig::new().set_connection_timeout(CONNECT).set_response_timeout(answer);
            return match client.get_async_connection_with_config(config).await {
                Ok(conn) => Ok(Conn::Cluster(conn)),
                Err(error) => Err(refusal(nodes).await.unwrap_or(error)),
            };
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(answer));
        let server = self.server().await?;
        server.get_multiplexed_async_connection_with_config(&config).await.map(Conn::Plain)
    }

    /// A connection for messages. In a cluster every node passes on what any node is told.
    pub(crate) async fn subscribe(&self) -> RedisResult<PubSub> {
        let opened = async {
            match self {
                Self::Cluster(_, nodes) => {
                    select_ok(nodes.iter().map(|node| Box::pin(node.get_async_pubsub())))
                        .await
                        .map(|(opened, _)| opened)
                }
                _ => self.server().await?.get_async_pubsub().await,
            }
        };
        in_time(opened).await
    }

    /// The one server that is asked.
    async fn server(&self) -> RedisResult<Client> {
        match self {
            Self::Single(client) => Ok(client.clone()),
            Self::Sentinel(client) => {
                let mut sentinels = client.lock().await;
                in_time(sentinels.async_get_client()).await
            }
            Self::Cluster(..) => Err(io::Error::from(io::ErrorKind::Unsupported).into()),
        }
    }
}

async fn in_time<T>(answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    timeout(CONNECT, answer).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// Why a node refuses, if one does: the client of a cluster says only that it could not connect.
async fn refusal(nodes: &[Client]) -> Option<RedisError> {
    for node in nodes {
        match in_time(node.get_multiplexed_async_connection()).await {
            Err(error) if !is_away(&error) => return Some(error),
            _ => {}
        }
    }
    None
}

fn certificates(ca: &[u8]) -> TlsCertificates {
    TlsCertificates { client_tls: None, root_cert: Some(ca.to_vec()) }
}

fn client(url: &str, ca: Option<&[u8]>) -> RedisResult<Client> {
    match ca {
        Some(ca) if url.starts_with("rediss:") => Client::build_with_tls(url, certificates(ca)),
        _ => Client::open(url),
    }
}

fn cluster(nodes: &[String], ca: Option<&[u8]>) -> RedisResult<Source> {
    let clients = nodes.iter().map(|node| client(node, ca)).collect::<RedisResult<_>>()?;
    let mut builder = ClusterClient::builder(nodes.iter().map(String::as_str))
        .retries(REPEATS)
        .min_retry_wait(PAUSES.0)
        .max_retry_wait(PAUSES.1)
        .overall_response_timeout(Some(ANSWER_OF_CLUSTER));
    if let Some(ca) = ca {
        builder = builder.certs(certificates(ca));
    }
    Ok(Source::Cluster(builder.build()?, clients))
}

fn sentinel(options: &RedisOptions) -> RedisResult<SentinelClient> {
    let RedisKind::Sentinel { sentinels, service, username, password, sentinel_password, database, tls } =
        &options.kind
    else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput).into());
    };
    let addresses = sentinels.iter().cloned().map(|(host, port)| {
        if *tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        }
    });
    let mut builder = SentinelClientBuilder::new(addresses, service.clone(), SentinelServerType::Master)?
        .set_client_to_redis_db(*database);
    if let Some(username) = username {
        builder = builder.set_client_to_redis_username(username);
    }
    if let Some(password) = password {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(password) = sentinel_password {
        builder = builder.set_client_to_sentinel_password(password);
    }
    if *tls {
        builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        if let Some(ca) = &options.ca {
            builder = builder
                .set_client_to_redis_certificates(certificates(ca))
                .set_client_to_sentinel_certificates(certificates(ca));
        }
    }
    builder.build()
}
