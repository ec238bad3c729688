//! Workers and metrics, as types.

use std::net::IpAddr;
use std::time::Duration;

use chat_core::Lane;

use crate::application::Http;
use crate::catalog::operations::watching as watching_keys;
use crate::catalog::operations::worker as keys;
use crate::loader::Loader;
use crate::parse::{self, Parsed};
use crate::url::Url;

/// How many jobs of each lane one process runs at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concurrency([u32; Lane::ALL.len()]);

impl Concurrency {
    /// The jobs of `lane` that may run at a time, 1 or more.
    pub fn for_lane(&self, lane: Lane) -> u32 {
        let place = Lane::ALL.iter().position(|known| *known == lane);
        place.map_or(1, |place| self.0[place])
    }
}

/// What lanes get that nobody names: chat turns wait for a model most of the time, parsing needs a core.
fn default_concurrency(lane: Lane) -> u32 {
    match lane {
        Lane::Chat => 1_024,
        Lane::Ingest => 2,
        Lane::Embed => 4,
        Lane::Maintenance => 1,
        Lane::Default => 256,
    }
}

/// Reads `WORKER_CONCURRENCY`.
pub(crate) fn concurrency(text: &str) -> Parsed<Concurrency> {
    let mut all = None;
    let mut named = Vec::new();
    for item in parse::list(text)? {
        match item.split_once('=') {
            Some((name, number)) => named.push((lane(name.trim())?, jobs(number.trim())?)),
            None if all.is_none() => all = Some(jobs(&item)?),
            None => return Err("has two numbers for every lane".into()),
        }
    }
    let number = |lane: Lane| {
        let own = named.iter().rev().find(|(name, _)| *name == lane).map(|(_, number)| *number);
        own.or(all).unwrap_or_else(|| default_concurrency(lane))
    };
    Ok(Concurrency(Lane::ALL.map(number)))
}

fn lane(name: &str) -> Parsed<Lane> {
    Lane::parse(name).ok_or_else(|| "names a lane that does not exist".into())
}

fn jobs(number: &str) -> Parsed<u32> {
    parse::within(number, 1, 10_000).map_err(|what| match number.parse::<i128>() {
        Ok(_) => format!("has a number that {what}"),
        Err(_) => "has something where a number should be".to_owned(),
    })
}

/// Workers and the server's own limits.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Jobs of each lane that run at a time.
    pub concurrency: Concurrency,
    /// Threads of the process; 0: one for each core.
    pub threads: u32,
    /// The most connections that the API serves at a time.
    pub max_connections: u32,
    /// The longest that a plain request may take (no stream, socket or upload).
    pub request_timeout: Duration,
}

impl Worker {
    pub(crate) fn read(loader: &mut Loader) -> Self {
        let concurrency = loader.get(&keys::WORKER_CONCURRENCY);
        let threads = loader.get(&keys::WORKER_PROCESSES);
        let max_connections = loader.get(&keys::WORKER_CONNECTIONS);
        let request_timeout = loader.get(&keys::WORKER_TIMEOUT);
        Self { concurrency, threads, max_connections, request_timeout }
    }
}

/// Metrics.
#[derive(Clone, Debug)]
pub struct Prometheus {
    /// Whether they are served.
    pub enabled: bool,
    /// The address to listen on: the API's.
    pub host: IpAddr,
    /// The port; 0: any free one.
    pub port: u16,
}

impl Prometheus {
    pub(crate) fn read(loader: &mut Loader, http: &Http) -> Self {
        let enabled = loader.get(&watching_keys::PROMETHEUS_ENABLED);
        let port = loader.get(&watching_keys::PROMETHEUS_PORT);
        if enabled && port != 0 && port == http.port {
            loader.conflict(&["PROMETHEUS_PORT", "PORT"], format!("is the same as PORT ({port})"));
        }
        Self { enabled, host: http.host, port }
    }
}

/// Where errors are reported to.
pub(crate) fn read_sentry(loader: &mut Loader) -> Option<Url> {
    loader.get(&watching_keys::SENTRY_DSN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_get_what_is_said_of_them() {
        let of = |text, lane| concurrency(text).unwrap().for_lane(lane);
        assert_eq!((of("", Lane::Chat), of("", Lane::Ingest)), (1_024, 2));
        assert_eq!((of("8", Lane::Chat), of("8", Lane::Default)), (8, 8));
        assert_eq!((of("8,chat=1000", Lane::Chat), of("chat=1000, 8", Lane::Ingest)), (1000, 8));
        assert_eq!((of("chat=1000", Lane::Chat), of("chat=1000", Lane::Ingest)), (1000, 2));
    }

    #[test]
    fn the_declared_default_is_the_default() {
        assert_eq!(concurrency(keys::WORKER_CONCURRENCY.spec.default), concurrency(""));
    }

    #[test]
    fn wrong_lanes_and_numbers_are_refused() {
        for (text, reason) in
            [("chta=8", "lane"), ("0", "out of range"), ("chat=many", "number"), ("8,9", "two")]
        {
            assert!(concurrency(text).unwrap_err().contains(reason), "{text}");
        }
    }
}
