//! Redis in every shape that a deployment may have.

use chat_adapters::redis_options;
use chat_config::{Origin, Settings, Source};
use chat_core::{ErrorKind, JobId, Limits, Tenant, ports::Limiter};
use chat_redis::{LaneKind, RedisKind, RedisOptions, RedisPorts};
use chat_tests::{
    chat::eventually,
    contract,
    engines::{Engines, Ground, PrivateEngine, RedisCluster, RedisSentinel, RedisTls},
    process,
};
use futures::future::join_all;
use std::time::{Duration, Instant};

/// What a process would make of these settings.
pub fn options(settings: &process::Settings) -> RedisOptions {
    let read = Settings::load(&[Source::new(Origin::Environment, settings.iter().cloned())]).unwrap();
    redis_options(&read.redis).unwrap()
}

/// The ports of two processes.
pub async fn two(options: &RedisOptions) -> [RedisPorts; 2] {
    [RedisPorts::connect(options).await.unwrap(), RedisPorts::connect(options).await.unwrap()]
}

/// Runs the suite of every port.
async fn exercise(options: &RedisOptions) {
    let [one, other] = two(options).await;
    contract::lanes::exercise(one.lanes.clone(), other.lanes.clone()).await;
    contract::bus::exercise(one.bus.clone(), other.bus.clone()).await;
    contract::cache::exercise(&*one.cache, &*other.cache).await;
    contract::limiter::exercise(&*one.limiter, &*other.limiter).await;
    assert!(one.memory_used().await.is_some_and(|bytes| bytes > 100_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_has_lanes_a_bus_a_cache_and_counters_for_all_processes() {
    let ground = Ground::claim(&Engines::named()).await;
    let options = options(&ground.settings());
    exercise(&options).await;
    let counters = ground.keys("*limits*").await;
    assert!(counters.len() >= 10, "{counters:?}");
    for (key, left) in counters {
        assert!(left > 0, "{key} has no end");
    }
    let RedisKind::Single(url) = &options.kind else { panic!("{:?}", options.kind) };
    let kind = RedisKind::Single(url.replace("://:", "://:wrong"));
    let refused = RedisPorts::connect(&RedisOptions { kind, ..options }).await.map(drop).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unauthorized, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn so_has_a_cluster() {
    let cluster = RedisCluster::start().await;
    exercise(&options(&cluster.settings())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_has_the_master_that_sentinels_name() {
    let sentinel = RedisSentinel::start().await;
    exercise(&options(&sentinel.settings())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_has_a_server_with_tls() {
    let redis = RedisTls::start().await;
    let options = options(&redis.settings());
    exercise(&options).await;
    let refused = RedisPorts::connect(&RedisOptions { ca: None, ..options }).await.map(drop);
    assert!(refused.is_err(), "a stranger's certificate was trusted");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_counted_while_redis_is_away_and_their_tokens_afterwards() {
    let redis = PrivateEngine::redis();
    let options = RedisOptions::new(RedisKind::Single(redis.url().to_owned()), "test");
    let ports = RedisPorts::connect(&options).await.unwrap();
    let (tenant, limits) =
        (Tenant::from("房东"), Limits { tenant_requests: 3, tenant_tokens: 100, ..Limits::default() });
    let (requests, tokens) = (limits.requests(None), limits.tokens(None));
    let limiter = &ports.limiter;
    assert!(limiter.take(&tenant, &requests).await.admitted);
    let job = JobId::new();
    limiter.spend(&tenant, &tokens, 10, job).await;

    redis.stop();
    let away = Instant::now();
    let admitted = [(); 5].map(|()| limiter.take(&tenant, &requests));
    let admitted = join_all(admitted).await.iter().filter(|taken| taken.admitted).count();
    assert_eq!(admitted, 3, "this process counts by itself");
    for (job, amount) in [(job, 10), (JobId::new(), 30), (JobId::new(), 40)] {
        limiter.spend(&tenant, &tokens, amount, job).await;
    }
    assert!(away.elapsed() < Duration::from_secs(2), "callers waited {:?} for their counts", away.elapsed());

    redis.start();
    // Asked by another process, which counted nothing itself.
    let other = RedisPorts::connect(&options).await.unwrap();
    eventually("what was used is counted in Redis", async || {
        (other.limiter.look(&tenant, &tokens).await[0].used == 80).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apalis_redis_has_lanes_for_all_processes() {
    let ground = Ground::claim(&Engines::named()).await;
    let options = RedisOptions { lanes: LaneKind::Apalis, ..options(&ground.settings()) };
    let [one, other] = two(&options).await;
    contract::lanes::exercise(one.lanes.clone(), other.lanes.clone()).await;
    contract::lanes::exercise(one.lanes.clone(), one.lanes.clone()).await;
    let kept = |(key, _): &(String, i64)| {
        [":data", ":meta:", ":done", ":dead", ":inflight:"].iter().any(|part| key.contains(part))
    };
    let deadline = Instant::now() + Duration::from_secs(5);
    while ground.keys("*").await.iter().any(kept) {
        assert!(Instant::now() < deadline, "it keeps {:?}", ground.keys("*").await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Redis forgets everything, registrations too.
    ground.forget_keys().await;
    contract::lanes::exercise(one.lanes.clone(), other.lanes.clone()).await;
}
