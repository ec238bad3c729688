//! Lanes, bus, cache and counters on Redis: a single server, the master that Sentinels name, or a cluster.
//!
//! Nothing that only Redis knows matters: jobs and events are in SQL. While it is away every part does without it,
//! and when it is back each makes up for what it could not say.

mod bus;
mod cache;
mod conn;
mod follower;
mod hub;
mod lanes;
mod limiter;
mod link;
mod names;
mod options;
mod source;
mod subscriber;

pub use bus::RedisBus;
pub use cache::RedisCache;
pub use lanes::{LaneKind, RedisLanes};
pub use limiter::RedisLimiter;
pub use options::{RedisKind, RedisOptions};

use chat_core::PortResult;
use futures::future::BoxFuture;
use hub::Hub;
use lanes::LaneBoard;
use link::Link;
use names::Names;
use redis::{Value, from_redis_value};
use source::Source;
use std::sync::Arc;
use subscriber::Subscriber;

/// The four ports, over one connection for commands, one for messages, and one per lane that waits for jobs.
pub struct RedisPorts {
    /// Hands out jobs.
    pub lanes: Arc<RedisLanes>,
    /// Carries events and control messages.
    pub bus: Arc<RedisBus>,
    /// Keeps what can be computed again.
    pub cache: Arc<RedisCache>,
    /// Counts what callers use.
    pub limiter: Arc<RedisLimiter>,
    link: Arc<Link>,
}

impl RedisPorts {
    /// Connects. A server that does not answer is no error: it is used as soon as it does.
    pub fn connect(options: &RedisOptions) -> BoxFuture<'_, PortResult<Self>> {
        Box::pin(async move {
            let lanes = options.lanes;
            let link = Link::open(Source::new(options)?).await?;
            let names = Arc::new(Names::new(&options.prefix));
            let board = Arc::new(LaneBoard::new(lanes.deepest()));
            let hub = Arc::new(Hub::new(link.clone(), names.clone(), board.clone()));
            let subscriber = Arc::new(Subscriber::start(hub.clone(), [names.control(), names.lanes()]));
            Ok(Self {
                lanes: Arc::new(RedisLanes::start(link.clone(), names.clone(), board, lanes)),
                bus: Arc::new(RedisBus::start(hub, subscriber)),
                cache: Arc::new(RedisCache::start(link.clone(), names.clone())),
                limiter: Arc::new(RedisLimiter::start(link.clone(), names)),
                link,
            })
        })
    }

    /// The bytes that Redis uses, all masters of a cluster together, if it says so.
    pub fn memory_used(&self) -> BoxFuture<'_, Option<u64>> {
        Box::pin(async move {
            match self.link.ask(redis::cmd("INFO").arg("memory")).await.ok()? {
                Value::Map(masters) => masters.into_iter().map(|(_, info)| memory(info)).sum(),
                info => memory(info),
            }
        })
    }
}

fn memory(info: Value) -> Option<u64> {
    let info: String = from_redis_value(info).ok()?;
    info.lines().find_map(|line| line.strip_prefix("used_memory:"))?.trim().parse().ok()
}
