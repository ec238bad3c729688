//! Private Redis servers in the shapes that deployments have: a cluster, a master that Sentinels name, one with TLS.

mod cluster;
mod sentinel;
mod server;
mod tls;

pub use cluster::RedisCluster;
pub use sentinel::RedisSentinel;
pub use server::RedisServer;
use tls::Certificates;
pub use tls::RedisTls;

/// What all of them want. The same everywhere: Sentinels and replicas know it, too.
const PASSWORD: &str = "p@ss/word";
/// The same in an address.
const PASSWORD_IN_URL: &str = "p%40ss%2Fword";
