//! One server, the master that Sentinels name, or a cluster: where connections come from.

use chat_core::{ErrorKind, PortError, PortResult};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, Pipeline, RedisFuture, RedisResult, TlsMode, Value,
    aio::{ConnectionLike, MultiplexedConnection, PubSub},
    cluster::{ClusterClient, ClusterConfig},
    cluster_async::ClusterConnection,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long a new connection may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How long an answer may take before the server counts as away.
const ANSWER: Duration = Duration::from_secs(3);

/// Which Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisKind {
    /// `redis://user:password@host:port/database`, or `rediss:` with TLS.
    Single(String),
    /// A cluster: the same form for each seed node.
    Cluster(Vec<String>),
    /// The master of a service.
    Sentinel {
        /// Host and port of each Sentinel.
        sentinels: Vec<(String, u16)>,
        /// The name under which they know the master.
        service: String,
        /// The master's user, if it wants one.
        username: Option<String>,
        /// The master's password, if it wants one.
        password: Option<String>,
        /// The number of the database.
        database: i64,
        /// Whether the master is reached by TLS.
        tls: bool,
    },
}

/// Where connections come from.
pub(crate) enum Source {
    Single(Client),
    Cluster(ClusterClient, Vec<Client>),
    Sentinel(Mutex<SentinelClient>),
}

/// A connection that many use at once.
#[derive(Clone)]
pub(crate) enum Conn {
    Plain(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Source {
    pub(crate) fn new(kind: &RedisKind) -> PortResult<Self> {
        let source = match kind {
            RedisKind::Single(url) => Client::open(url.as_str()).map(Self::Single),
            RedisKind::Cluster(nodes) => cluster(nodes),
            RedisKind::Sentinel { .. } => sentinel(kind).map(|client| Self::Sentinel(Mutex::new(client))),
        };
        source.map_err(|error| {
            PortError::new(ErrorKind::Invalid, "its address cannot be used").with_source(error)
        })
    }

    /// A connection whose answers come soon, or not at all.
    pub(crate) async fn connect(&self) -> RedisResult<Conn> {
        self.connect_with(Some(ANSWER)).await
    }

    /// A connection for commands that wait on the server.
    pub(crate) async fn connect_blocking(&self, wait: Duration) -> RedisResult<Conn> {
        self.connect_with(Some(wait + ANSWER)).await
    }

    async fn connect_with(&self, answer: Option<Duration>) -> RedisResult<Conn> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(answer);
        match self {
            Self::Cluster(client, _) => {
                let mut config = ClusterConfig::new().set_connection_timeout(CONNECT);
                if let Some(answer) = answer {
                    config = config.set_response_timeout(answer);
                }
                client.get_async_connection_with_config(config).await.map(Conn::Cluster)
            }
            Self::Single(client) => {
                client.get_multiplexed_async_connection_with_config(&config).await.map(Conn::Plain)
            }
            Self::Sentinel(client) => {
                client.lock().await.get_async_connection_with_config(&config).await.map(Conn::Plain)
            }
        }
    }

    /// A connection for messages. In a cluster every node passes on what any node is told.
    pub(crate) async fn subscribe(&self) -> RedisResult<PubSub> {
        let opened = async {
            match self {
                Self::Single(client) => client.get_async_pubsub().await,
                Self::Sentinel(client) => {
                    let master = client.lock().await.async_get_client().await?;
                    master.get_async_pubsub().await
                }
                Self::Cluster(_, nodes) => any_node(nodes).await,
            }
        };
        let late = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
        tokio::time::timeout(CONNECT, opened).await.map_err(late)?
    }
}

async fn any_node(nodes: &[Client]) -> RedisResult<PubSub> {
    let mut last = None;
    for node in nodes {
        match node.get_async_pubsub().await {
            Ok(opened) => return Ok(opened),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound).into()))
}

fn cluster(nodes: &[String]) -> RedisResult<Source> {
    let clients = nodes.iter().map(|node| Client::open(node.as_str())).collect::<RedisResult<_>>()?;
    Ok(Source::Cluster(ClusterClient::new(nodes.iter().map(String::as_str))?, clients))
}

fn sentinel(kind: &RedisKind) -> RedisResult<SentinelClient> {
    let RedisKind::Sentinel { sentinels, service, username, password, database, tls } = kind else {
        return Err(std::io::Error::from(std::io::ErrorKind::InvalidInput).into());
    };
    let addresses = sentinels.iter().map(|(host, port)| ConnectionAddr::Tcp(host.clone(), *port));
    let mut builder = SentinelClientBuilder::new(addresses, service.clone(), SentinelServerType::Master)?
        .set_client_to_redis_db(*database);
    if let Some(username) = username {
        builder = builder.set_client_to_redis_username(username);
    }
    if let Some(password) = password {
        builder = builder.set_client_to_redis_password(password);
    }
    if *tls {
        builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
    }
    builder.build()
}

impl ConnectionLike for Conn {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Plain(conn) => conn.req_packed_command(cmd),
            Self::Cluster(conn) => conn.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Plain(conn) => conn.req_packed_commands(pipeline, offset, count),
            Self::Cluster(conn) => conn.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Plain(conn) => conn.get_db(),
            Self::Cluster(conn) => conn.get_db(),
        }
    }
}
