//! A connection that many use at once, to a server or to a cluster.

use futures::future::try_join_all;
use redis::{
    Cmd, ErrorKind, Pipeline, RedisFuture, RedisResult, ServerErrorKind, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster_async::ClusterConnection,
    cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo},
    from_redis_value,
};

#[derive(Clone)]
pub(crate) enum Conn {
    Plain(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Conn {
    /// Whether everything can be asked. A cluster that misses a part of its slots counts as away as a whole, as it does
    /// by default to Redis itself: what is where is no business of those who ask.
    pub(crate) async fn check(&mut self) -> RedisResult<()> {
        match self {
            Self::Plain(conn) => redis::cmd("PING").query_async(conn).await,
            Self::Cluster(conn) => {
                let mut info = redis::cmd("CLUSTER");
                info.arg("INFO");
                let masters = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                let answers: Vec<(String, String)> =
                    from_redis_value(conn.route_command(info, masters).await?)?;
                let infos: Vec<_> = answers.iter().map(|(_, info)| info.as_str()).collect();
                if is_whole(&infos) {
                    return Ok(());
                }
                let kind = ErrorKind::Server(ServerErrorKind::ClusterDown);
                Err((kind, "some slots have no master that answers").into())
            }
        }
    }

    /// The answers to commands whose keys may be on different nodes.
    pub(crate) async fn each(&mut self, commands: &[Cmd]) -> RedisResult<Vec<Value>> {
        match self {
            Self::Plain(conn) => {
                let mut pipeline = Pipeline::with_capacity(commands.len());
                for command in commands {
                    pipeline.add_command(command.clone());
                }
                pipeline.query_async(conn).await
            }
            Self::Cluster(conn) => {
                let ask = |command: &Cmd| {
                    let (command, mut conn) = (command.clone(), conn.clone());
                    async move { command.query_async(&mut conn).await }
                };
                try_join_all(commands.iter().map(ask)).await
            }
        }
    }
}

/// Whether all masters have answered, and all see every slot served.
fn is_whole(infos: &[&str]) -> bool {
    let has = |info: &str, line: &str| info.lines().any(|found| found == line);
    let size = format!("cluster_size:{}", infos.len());
    let lines = ["cluster_state:ok", "cluster_slots_fail:0", &size];
    infos.iter().all(|info| lines.iter().all(|line| has(info, line)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_whole_if_all_masters_answer_and_miss_nothing() {
        let whole = "cluster_state:ok\r\ncluster_slots_fail:0\r\ncluster_size:2\r\n";
        assert!(is_whole(&[whole, whole]));
        assert!(!is_whole(&[whole]), "one did not answer");
        assert!(!is_whole(&[whole, &whole.replace(":ok", ":fail")]));
        // It goes on with the others: `cluster-require-full-coverage no`.
        assert!(!is_whole(&[whole, &whole.replace("fail:0", "fail:5461")]));
    }
}
