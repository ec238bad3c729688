//! The settings of Redis as its client wants them.

use chat_config::{Redis, RedisLanes, RedisUrl, Url};
use chat_core::{ErrorKind, PortError, PortResult};
use chat_redis::{LaneKind, RedisKind, RedisOptions};

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// How a process is to use the Redis that the settings name.
pub fn redis_options(setting: &Redis) -> PortResult<RedisOptions> {
    let lanes = match setting.lanes {
        RedisLanes::Lists => LaneKind::Lists,
        RedisLanes::Apalis => LaneKind::Apalis,
    };
    let ca = setting.ca_file.as_ref().map(std::fs::read).transpose().map_err(|error| {
        PortError::new(ErrorKind::Invalid, "REDIS_CA_FILE cannot be read").with_source(error)
    })?;
    Ok(RedisOptions { kind: kind(setting)?, prefix: setting.prefix.clone(), lanes, ca })
}

fn kind(setting: &Redis) -> PortResult<RedisKind> {
    match &setting.url {
        RedisUrl::Memory => Err(PortError::invalid("no Redis is named")),
        RedisUrl::Single(url) => Ok(RedisKind::Single(url.expose().to_owned())),
        RedisUrl::Cluster(url) => Ok(RedisKind::Cluster(nodes(url))),
        RedisUrl::Sentinel(url) => Ok(sentinel(url, setting)),
    }
}

/// An address for each node, with the same user and password.
fn nodes(url: &Url) -> Vec<String> {
    let scheme = if url.scheme().starts_with("rediss") { "rediss" } else { "redis" };
    let user = url.user().unwrap_or_default();
    let login = match url.password() {
        Some(password) => format!("{user}:{}@", password.expose()),
        None if user.is_empty() => String::new(),
        None => format!("{user}@"),
    };
    let hosts = url.hosts().iter();
    hosts.map(|(host, port)| format!("{scheme}://{login}{host}:{}", port.unwrap_or(REDIS_PORT))).collect()
}

fn sentinel(url: &Url, setting: &Redis) -> RedisKind {
    let path = url.path().trim_start_matches('/');
    let (service, database) = path.split_once('/').unwrap_or((path, ""));
    RedisKind::Sentinel {
        sentinels: url
            .hosts()
            .iter()
            .map(|(host, port)| (host.clone(), port.unwrap_or(SENTINEL_PORT)))
            .collect(),
        service: service.to_owned(),
        username: url.user().filter(|user| !user.is_empty()).map(decoded),
        password: url.password().map(|password| decoded(password.expose())),
        sentinel_password: setting.sentinel_password.as_ref().map(|password| password.expose().to_owned()),
        database: database.parse().unwrap_or(0),
        tls: url.scheme().starts_with("rediss"),
    }
}

/// What stands for itself in an address.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use chat_config::{Origin, Settings, Source};

    fn read(url: &str) -> RedisKind {
        let source =
            Source::new(Origin::Environment, [("REDIS_URL", url), ("REDIS_SENTINEL_PASSWORD", "sentinels'")]);
        let settings = Settings::load(&[source]).unwrap();
        kind(&settings.redis).unwrap()
    }

    #[test]
    fn every_node_of_a_cluster_has_the_password() {
        let nodes = ["redis://ann:p%40ss@a:7000", "redis://ann:p%40ss@b:6379"].map(str::to_owned).to_vec();
        assert_eq!(read("redis-cluster://ann:p%40ss@a:7000,b"), RedisKind::Cluster(nodes));
        assert_eq!(read("rediss-cluster://a"), RedisKind::Cluster(vec!["rediss://a:6379".into()]));
    }

    #[test]
    fn sentinels_name_a_service() {
        let wanted = RedisKind::Sentinel {
            sentinels: vec![("a".into(), 26379), ("b".into(), 5000)],
            service: "main".into(),
            username: None,
            password: Some("p@ss".into()),
            sentinel_password: Some("sentinels'".into()),
            database: 2,
            tls: false,
        };
        assert_eq!(read("redis-sentinel://:p%40ss@a,b:5000/main/2"), wanted);
    }
}
