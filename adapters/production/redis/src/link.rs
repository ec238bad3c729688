//! The connection that commands share. While the server is away every command fails at once, so that callers do
//! without it, and a task knocks until it is back.

use crate::{conn::Conn, source::Source};
use chat_core::{ErrorKind, PortError, PortResult};
use redis::{
    Cmd, FromRedisValue, Pipeline, RedisError, RedisFuture, RedisResult, ScriptInvocation, Value,
    aio::ConnectionLike, from_redis_value,
};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// The first pause between two knocks.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest one: soon after the server is back it is used again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A connection that comes back by itself.
pub(crate) struct Link {
    source: Source,
    current: Mutex<Current>,
    up: watch::Sender<bool>,
}

struct Current {
    conn: Option<Conn>,
    /// Counts connections: a failure on an old one says nothing about the new one.
    number: u64,
}

impl Link {
    /// Connects. A server that does not answer is knocked at until it does; one that refuses is an error.
    pub(crate) async fn open(source: Source) -> PortResult<Arc<Self>> {
        let (conn, up) = match source.connect().await {
            Ok(conn) => (Some(conn), true),
            Err(error) if is_away(&error) && !is_stranger(&error) => {
                tracing::warn!(%error, "Redis does not answer: the work goes on without it until it does");
                (None, false)
            }
            Err(error) => return Err(port_error(error)),
        };
        let link = Arc::new(Self {
            source,
            current: Mutex::new(Current { conn, number: 1 }),
            up: watch::Sender::new(up),
        });
        if !up {
            link.clone().knock();
        }
        Ok(link)
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Whether the server answered last time.
    pub(crate) fn is_up(&self) -> bool {
        *self.up.borrow()
    }

    /// Tells when that changes.
    pub(crate) fn watch(&self) -> watch::Receiver<bool> {
        self.up.subscribe()
    }

    pub(crate) async fn ask<T: FromRedisValue>(self: &Arc<Self>, command: &Cmd) -> RedisResult<T> {
        let (number, mut conn) = self.conn()?;
        self.heed(number, command.query_async(&mut conn).await)
    }

    pub(crate) async fn ask_all<T: FromRedisValue>(self: &Arc<Self>, commands: &Pipeline) -> RedisResult<T> {
        let (number, mut conn) = self.conn()?;
        self.heed(number, commands.query_async(&mut conn).await)
    }

    /// The same for commands whose keys may be on different nodes of a cluster.
    pub(crate) async fn ask_each<T: FromRedisValue>(
        self: &Arc<Self>,
        commands: &[Cmd],
    ) -> RedisResult<Vec<T>> {
        let (number, mut conn) = self.conn()?;
        let answers = self.heed(number, conn.each(commands).await)?;
        answers.into_iter().map(|answer| Ok(from_redis_value(answer)?)).collect()
    }

    /// The same for a caller that takes the answers apart by itself.
    async fn pass(
        self: &Arc<Self>,
        commands: &Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let (number, mut conn) = self.conn()?;
        self.heed(number, conn.req_packed_commands(commands, offset, count).await)
    }

    pub(crate) async fn run<T: FromRedisValue>(
        self: &Arc<Self>,
        script: &ScriptInvocation<'_>,
    ) -> RedisResult<T> {
        let (number, mut conn) = self.conn()?;
        self.heed(number, script.invoke_async(&mut conn).await)
    }

    pub(crate) async fn ping(self: &Arc<Self>) -> PortResult<()> {
        let (number, mut conn) = self.conn().map_err(port_error)?;
        self.heed(number, conn.check().await).map_err(port_error)
    }

    fn conn(&self) -> RedisResult<(u64, Conn)> {
        let current = self.lock();
        let conn = current.conn.clone().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))?;
        Ok((current.number, conn))
    }

    /// Notices when the connection is lost.
    fn heed<T>(self: &Arc<Self>, number: u64, result: RedisResult<T>) -> RedisResult<T> {
        if let Err(error) = &result
            && is_away(error)
        {
            let mut current = self.lock();
            if current.number == number && current.conn.take().is_some() {
                drop(current);
                tracing::warn!(%error, "Redis is away: the work goes on without it");
                self.up.send_replace(false);
                self.clone().knock();
            }
        }
        result
    }

    fn knock(self: Arc<Self>) {
        let link = Arc::downgrade(&self);
        drop(self);
        #[allow(clippy::disallowed_methods)] // ends when the link is dropped or the server is back
        tokio::spawn(async move {
            let mut pause = FIRST_PAUSE;
            loop {
                tokio::time::sleep(pause).await;
                let Some(link) = link.upgrade() else { return };
                match link.source.connect().await {
                    Ok(conn) => return link.back(conn),
                    Err(error) => tracing::debug!(%error, "Redis is still away"),
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        });
    }

    fn back(&self, conn: Conn) {
        {
            let mut current = self.lock();
            current.number += 1;
            current.conn = Some(conn);
        }
        self.up.send_replace(true);
        tracing::info!("Redis is back");
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A link as other crates want a connection: its answers may take seconds, and it comes back by itself.
#[derive(Clone)]
pub(crate) struct Line(pub(crate) Arc<Link>);

impl ConnectionLike for Line {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.0.ask(command))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(self.0.pass(commands, offset, count))
    }

    fn get_db(&self) -> i64 {
        0 // asked by nobody: which database it is was said when the connection was made
    }
}

/// Whether the server could not be asked, or cannot answer for now: still loading, shutting down, not the master.
pub(crate) fn is_away(error: &RedisError) -> bool {
    let for_now = ["LOADING", "MASTERDOWN", "READONLY", "UNBLOCKED"];
    let nobody =
        [redis::ErrorKind::MasterNameNotFoundBySentinel, redis::ErrorKind::ClusterConnectionNotFound];
    error.is_io_error()
        || error.is_cluster_error()
        || nobody.contains(&error.kind())
        || error.is_timeout()
        || error.is_connection_dropped()
        || error.is_connection_refusal()
        || error.code().is_some_and(|code| for_now.contains(&code))
}

/// Whether somebody answers whose certificate is not trusted.
fn is_stranger(error: &RedisError) -> bool {
    let source = std::error::Error::source(error);
    let io = source.and_then(|source| source.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>());
    io.and_then(|io| io.downcast_ref::<io::Error>()).is_some_and(|io| io.kind() == io::ErrorKind::InvalidData)
}

pub(crate) fn port_error(error: RedisError) -> PortError {
    let away = is_away(&error);
    let (kind, message) = match error.code() {
        _ if is_stranger(&error) => (ErrorKind::Invalid, "Redis shows a certificate that is not trusted"),
        _ if away => (ErrorKind::Unavailable, "Redis does not answer"),
        Some("NOAUTH" | "WRONGPASS" | "NOPERM") => {
            (ErrorKind::Unauthorized, "Redis refuses the user, the password or a command")
        }
        Some("OOM") => (ErrorKind::Unavailable, "Redis is out of memory"),
        _ if error.kind() == redis::ErrorKind::AuthenticationFailed => {
            (ErrorKind::Unauthorized, "Redis refuses the user or the password")
        }
        _ => (ErrorKind::Internal, "Redis refused a command"),
    };
    PortError::new(kind, message).with_retry_after(away.then_some(Duration::from_secs(2))).with_source(error)
}
