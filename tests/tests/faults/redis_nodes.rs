//! Redis on several servers, one of which dies: another takes its place, or SQL does until it is back.

use super::{Size, redis::jobs_run_from_sql, stage::Stage};
use chat_tests::{
    engines::{Engines, RedisCluster, RedisSentinel},
    process::Settings,
};
use std::time::{Duration, Instant};

/// How much is under way: what is special here is Redis, not the load.
const FEW: Size = Size { turns: 12, documents: 3 };

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_name_another_master() {
    let mut redis = RedisSentinel::start().await;
    let mut stage = Stage::prepare("Sentinel", &Engines::named().with(redis.settings()), &[]).await;
    stage.start(&Settings::new()).await;
    stage.size = FEW;
    stage.load(Duration::ZERO).await;
    stage.burst().await;
    redis.kill_master().await;
    stage.recovered("the death of the master", Instant::now()).await;
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_loses_a_node() {
    let mut redis = RedisCluster::start().await;
    let mut stage = Stage::prepare("cluster", &Engines::named().with(redis.settings()), &[]).await;
    stage.start(&Settings::new()).await;
    stage.size = FEW;
    stage.load(Duration::ZERO).await;
    let lanes = redis.place_of(&format!("{}:{{lanes}}", stage.deployment.ground().prefix())).await;
    stage.burst().await;
    redis.node(lanes).kill();
    jobs_run_from_sql(&stage).await;
    redis.node(lanes).start_again().await;
    stage.recovered("a node away", Instant::now()).await;

    redis.add_replica(lanes).await;
    redis.node(lanes).kill();
    stage.recovered("the death of a master with a replica", Instant::now()).await;
    stage.finish().await;
}
