//! `REDIS_*`.

use std::path::PathBuf;

use chat_core::Lane;

use crate::catalog::stores::redis as keys;
use crate::loader::Loader;
use crate::parse::{Parsed, unknown_scheme};
use crate::secret::Secret;
use crate::url::Url;

/// What hands out jobs and carries events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisUrl {
    /// Nothing outside this process.
    Memory,
    /// One server: `redis:` or, with TLS, `rediss:`.
    Single(Url),
    /// The seed nodes of a cluster: `redis-cluster:` or, with TLS, `rediss-cluster:`.
    Cluster(Url),
    /// Sentinels: `redis-sentinel://host:26379,host:26379/service[/db]` or, with TLS, `rediss-sentinel:`.
    Sentinel(Url),
}

/// One connection for commands, one for messages, and one for each lane that waits for jobs, however much there is to do.
const NEEDED: u32 = 2 + Lane::ALL.len() as u32;

/// What hands out jobs in Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisLanes {
    /// A list per lane and urgency.
    Lists,
    /// Queues of the crate `apalis-redis`.
    Apalis,
}

/// Redis, or what stands in for it.
#[derive(Clone, Debug)]
pub struct Redis {
    /// Which one.
    pub url: RedisUrl,
    /// Whose certificates are trusted, if not those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// What Sentinels themselves ask for.
    pub sentinel_password: Option<Secret>,
    /// The most connections that one process opens.
    pub max_connections: u32,
    /// What every key begins with.
    pub prefix: String,
    /// What hands out jobs.
    pub lanes: RedisLanes,
}

impl Redis {
    pub(crate) fn read(loader: &mut Loader) -> Self {
        let url = loader.get(&keys::REDIS_URL);
        let max_connections = loader.get(&keys::REDIS_MAX_CONNECTIONS);
        let prefix = loader.get(&keys::REDIS_PREFIX);
        if url != RedisUrl::Memory && max_connections < NEEDED {
            loader.warn(format!(
                "REDIS_MAX_CONNECTIONS is {max_connections}, but a process that runs every lane opens {NEEDED}"
            ));
        }
        let lanes = loader.get(&keys::REDIS_LANES);
        if lanes == RedisLanes::Apalis && matches!(url, RedisUrl::Cluster(_)) {
            loader.conflict(
                &["REDIS_LANES", "REDIS_URL"],
                "cannot be `apalis` on a cluster: a script of that crate names a key that is on another node",
            );
        }
        let (ca_file, sentinel_password) =
            (loader.get(&keys::REDIS_CA_FILE), loader.get(&keys::REDIS_SENTINEL_PASSWORD));
        Self { url, ca_file, sentinel_password, max_connections, prefix, lanes }
    }
}

/// Reads `REDIS_LANES`.
pub(crate) fn redis_lanes(text: &str) -> Parsed<RedisLanes> {
    match text {
        "lists" => Ok(RedisLanes::Lists),
        "apalis" => Ok(RedisLanes::Apalis),
        _ => Err("is neither `lists` nor `apalis`".into()),
    }
}

/// Reads `REDIS_URL`.
pub(crate) fn redis_url(text: &str) -> Parsed<RedisUrl> {
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err("has no scheme".into());
    };
    match scheme.to_ascii_lowercase().as_str() {
        "memory" if rest.is_empty() || rest == "//" => Ok(RedisUrl::Memory),
        "memory" => Err("names more than `memory:`".into()),
        "redis" | "rediss" => single(text),
        "redis-cluster" | "rediss-cluster" => cluster(text),
        "redis-sentinel" | "rediss-sentinel" => sentinel(text),
        other => Err(unknown_scheme(other)),
    }
}

fn single(text: &str) -> Parsed<RedisUrl> {
    let url = Url::parse(text)?;
    match url.hosts().len() {
        1 if is_database(url.path()) => Ok(RedisUrl::Single(url)),
        1 => Err("has a path that is not the number of a database".into()),
        0 => Err("names no host".into()),
        _ => {
            Err("names several hosts: a cluster is a `redis-cluster:`, sentinels are a `redis-sentinel:`"
                .into())
        }
    }
}

fn cluster(text: &str) -> Parsed<RedisUrl> {
    let url = Url::parse(text)?;
    if url.hosts().is_empty() {
        return Err("names no host".into());
    }
    // A cluster has database 0 only.
    if ["", "/", "/0"].contains(&url.path()) {
        Ok(RedisUrl::Cluster(url))
    } else {
        Err("names a database, which a cluster does not have".into())
    }
}

fn sentinel(text: &str) -> Parsed<RedisUrl> {
    let url = Url::parse(text)?;
    if url.hosts().is_empty() {
        return Err("names no host".into());
    }
    let path = url.path().trim_start_matches('/');
    let (service, database) = path.find('/').map_or((path, ""), |at| path.split_at(at));
    if service.is_empty() || !is_database(database) {
        return Err("does not end in /service or /service/database".into());
    }
    Ok(RedisUrl::Sentinel(url))
}

/// Nothing, or a slash and a number.
fn is_database(path: &str) -> bool {
    let number = path.strip_prefix('/').unwrap_or(path);
    number.is_empty() || number.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_kind() {
        assert_eq!(redis_url("memory:"), Ok(RedisUrl::Memory));
        assert!(matches!(redis_url("redis://:pw@r:6379/0"), Ok(RedisUrl::Single(_))));
        assert!(matches!(redis_url("rediss://r"), Ok(RedisUrl::Single(_))));
        let Ok(RedisUrl::Cluster(url)) = redis_url("redis-cluster://a:7000,b:7001") else {
            panic!("a cluster")
        };
        assert_eq!(url.hosts(), [("a".into(), Some(7000)), ("b".into(), Some(7001))]);
        assert!(matches!(redis_url("redis-sentinel://a:26379,b/main/2"), Ok(RedisUrl::Sentinel(_))));
        assert!(matches!(redis_url("rediss-sentinel://a/main"), Ok(RedisUrl::Sentinel(_))));
    }

    #[test]
    fn refuses_what_no_adapter_can_use() {
        for (text, reason) in [
            ("amqp://mq", "unknown scheme `amqp:`"),
            ("localhost", "no scheme"),
            ("memory:somewhere", "more than"),
            ("redis://", "no host"),
            ("redis://r/cache", "number of a database"),
            ("redis://a,b", "redis-cluster:"),
            ("redis-cluster://a/3", "does not have"),
            ("redis-sentinel://a", "/service"),
            ("redis-sentinel://a/main/x", "/service"),
        ] {
            let error = redis_url(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
