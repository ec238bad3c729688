//! A master, its replica, and a Sentinel that knows which is which.

use super::{PASSWORD, PASSWORD_IN_URL, RedisServer};
use crate::{chat::eventually, process::Settings};
use redis::cmd;

/// The name under which Sentinel knows the master.
const SERVICE: &str = "main";

/// Running servers that Sentinel watches.
pub struct RedisSentinel {
    servers: Vec<RedisServer>,
    sentinel: RedisServer,
}

impl RedisSentinel {
    /// Starts all three, and waits until Sentinel could promote the replica.
    pub async fn start() -> Self {
        let master = RedisServer::start(&[]).await;
        let replica = RedisServer::start(&[format!("replicaof 127.0.0.1 {}", master.port)]).await;
        replica.until(cmd("INFO").arg("replication"), "master_link_status:up").await;
        let sentinel = RedisServer::start_sentinel(&[
            format!("requirepass {PASSWORD}"),
            format!("sentinel monitor {SERVICE} 127.0.0.1 {} 1", master.port),
            format!("sentinel auth-pass {SERVICE} {PASSWORD}"),
            format!("sentinel down-after-milliseconds {SERVICE} 500"),
            format!("sentinel failover-timeout {SERVICE} 5000"),
        ])
        .await;
        let all = Self { servers: vec![master, replica], sentinel };
        eventually("Sentinel knows the replica", async || {
            let mut ask = cmd("SENTINEL");
            let replicas: Vec<Vec<String>> = all.sentinel.ask(ask.arg("REPLICAS").arg(SERVICE)).await.ok()?;
            let known = replicas.first()?.chunks(2).any(|pair| pair == ["master-link-status", "ok"]);
            known.then_some(())
        })
        .await;
        all
    }

    /// `kill -9` for the server that is the master now.
    pub async fn kill_master(&mut self) {
        let mut ask = cmd("SENTINEL");
        ask.arg("GET-MASTER-ADDR-BY-NAME").arg(SERVICE);
        let (_, port): (String, u16) = self.sentinel.ask(&ask).await.unwrap();
        self.servers.iter_mut().find(|server| server.port == port).unwrap().kill();
    }

    /// How the program is told of it.
    pub fn settings(&self) -> Settings {
        let url = format!("redis-sentinel://:{PASSWORD_IN_URL}@{}/{SERVICE}/1", self.sentinel.address());
        vec![("REDIS_URL".into(), url), ("REDIS_SENTINEL_PASSWORD".into(), PASSWORD.into())]
    }
}
