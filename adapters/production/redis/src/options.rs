//! Which Redis, and how it is used.

use crate::lanes::LaneKind;

/// How a process uses Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisOptions {
    /// Where it is.
    pub kind: RedisKind,
    /// What every key and channel begins with.
    pub prefix: String,
    /// What keeps the ids of jobs. Processes that share a prefix must have the same: what one hands out through lanes
    /// of another kind is found only when the reaper offers it again.
    pub lanes: LaneKind,
    /// With TLS, whose certificates are trusted, in PEM. None: those that this system trusts.
    pub ca: Option<Vec<u8>>,
}

impl RedisOptions {
    /// The usual way.
    pub fn new(kind: RedisKind, prefix: &str) -> Self {
        Self { kind, prefix: prefix.to_owned(), lanes: LaneKind::default(), ca: None }
    }
}

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
        /// What the Sentinels themselves ask for.
        sentinel_password: Option<String>,
        /// The number of the database.
        database: i64,
        /// Whether master and Sentinels are reached by TLS.
        tls: bool,
    },
}
