//! Three masters that share the slots, and perhaps a replica.

use super::{PASSWORD_IN_URL, RedisServer, server::free_port};
use crate::process::Settings;
use redis::{Cmd, cmd};

const MASTERS: usize = 3;
const SLOTS: usize = 16_384;

/// A running cluster.
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts one without replicas.
    pub async fn start() -> Self {
        let mut cluster = Self { nodes: Vec::new() };
        for number in 0..MASTERS {
            let node = cluster.add().await;
            let first = number * SLOTS / MASTERS;
            let last = (number + 1) * SLOTS / MASTERS - 1;
            let (first, last) = (first.to_string(), last.to_string());
            node.ask::<()>(&command(&["ADDSLOTSRANGE", &first, &last])).await.unwrap();
        }
        cluster.until_whole().await;
        cluster
    }

    /// Starts a node and introduces it to the first.
    async fn add(&mut self) -> &RedisServer {
        let bus = free_port();
        let lines = [
            "cluster-enabled yes".to_owned(),
            format!("cluster-port {bus}"),
            "cluster-node-timeout 1000".to_owned(),
        ];
        let node = RedisServer::start(&lines).await;
        if let Some(first) = self.nodes.first() {
            let (port, bus) = (node.port.to_string(), bus.to_string());
            first.ask::<()>(&command(&["MEET", "127.0.0.1", &port, &bus])).await.unwrap();
        }
        self.nodes.push(node);
        self.nodes.last().unwrap()
    }

    /// Waits until every living node sees all the others, and every slot has a living master.
    pub async fn until_whole(&self) {
        let (info, known) = (command(&["INFO"]), format!("cluster_known_nodes:{}", self.nodes.len()));
        for node in self.nodes.iter().filter(|node| node.lives()) {
            node.until(&info, &known).await;
            node.until(&info, "cluster_state:ok").await;
        }
    }

    /// Adds a replica of a master, and waits until it has all that its master has.
    pub async fn add_replica(&mut self, master: usize) {
        let master: String = self.nodes[master].ask(&command(&["MYID"])).await.unwrap();
        self.add().await;
        self.until_whole().await;
        let replica = self.nodes.last().unwrap();
        replica.ask::<()>(&command(&["REPLICATE", &master])).await.unwrap();
        replica.until(cmd("INFO").arg("replication"), "master_link_status:up").await;
    }

    /// The place of the master that has this key, as the cluster was started.
    pub async fn place_of(&self, key: &str) -> usize {
        let slot: usize = self.nodes[0].ask(&command(&["KEYSLOT", key])).await.unwrap();
        (0..MASTERS).find(|number| slot < (number + 1) * SLOTS / MASTERS).unwrap()
    }

    /// A node by its place.
    pub fn node(&mut self, place: usize) -> &mut RedisServer {
        &mut self.nodes[place]
    }

    /// How the program is told of it.
    pub fn settings(&self) -> Settings {
        let nodes: Vec<_> = self.nodes[..MASTERS].iter().map(RedisServer::address).collect();
        let url = format!("redis-cluster://:{PASSWORD_IN_URL}@{}", nodes.join(","));
        vec![("REDIS_URL".into(), url)]
    }
}

fn command(words: &[&str]) -> Cmd {
    let mut command = cmd("CLUSTER");
    command.arg(words);
    command
}
