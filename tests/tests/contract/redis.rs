//! Redis in every shape that a deployment may have.

use chat_adapters::redis_options;
use chat_config::{Origin, Settings, Source};
use chat_core::{
    ErrorKind, JobId, Lane, Limits, Ready, Tenant,
    ports::{Bus, Cache, Lanes, Limiter, Work},
};
use chat_redis::{LaneKind, RedisKind, RedisOptions, RedisPorts};
use chat_tests::{
    chat::eventually,
    contract,
    engines::{Engines, Ground, PrivateEngine, RedisCluster, RedisSentinel, RedisServer, RedisTls},
    process,
};
use futures::future::join_all;
use redis::Value;
use std::time::{Duration, Instant};
use tokio::time::timeout;

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

/// An operator's mistake stops the start: it is not taken for a Redis that is away.
async fn is_refused(options: &RedisOptions, kind: ErrorKind) {
    let refused = RedisPorts::connect(options).await.map(drop).unwrap_err();
    assert_eq!(refused.kind, kind, "{refused}");
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
    is_refused(&RedisOptions { kind, ..options }, ErrorKind::Unauthorized).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_has_a_cluster() {
    let cluster = RedisCluster::start().await;
    let options = options(&cluster.settings());
    exercise(&options).await;
    let RedisKind::Cluster(nodes) = &options.kind else { panic!("{:?}", options.kind) };
    let kind = RedisKind::Cluster(nodes.iter().map(|url| url.replace("://:", "://:wrong")).collect());
    is_refused(&RedisOptions { kind, ..options }, ErrorKind::Unauthorized).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_to_be_forgotten_without_a_node_is_forgotten_on_all_others() {
    let mut cluster = RedisCluster::start().await;
    let [one, other] = two(&options(&cluster.settings())).await;
    let keys: Vec<_> = (0..30).map(|number| format!("key {number}")).collect();
    for key in keys.iter().map(String::as_str).chain(["stays"]) {
        one.cache.put(key, "value".into(), Duration::from_mins(1)).await;
    }
    let stays = options(&cluster.settings()).prefix + ":stays";
    let lost = (cluster.place_of(&stays).await + 1) % 3;
    cluster.node(lost).kill();
    eventually("it is away", async || one.bus.ping().await.err()).await;
    for key in &keys {
        one.cache.forget(key).await;
        assert_eq!(one.cache.get(key).await, None);
    }
    cluster.node(lost).start_again().await;
    eventually("all but one are forgotten", async || {
        let stays = other.cache.get("stays").await?; // Redis is back
        let found = join_all(keys.iter().map(|key| other.cache.get(key))).await;
        (&*stays == "value" && found.iter().all(Option::is_none)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_has_the_master_that_sentinels_name() {
    let sentinel = RedisSentinel::start().await;
    let mut options = options(&sentinel.settings());
    exercise(&options).await;
    for wrong in [Some("wrong".to_owned()), None] {
        let RedisKind::Sentinel { sentinel_password, .. } = &mut options.kind else { unreachable!() };
        *sentinel_password = wrong;
        is_refused(&options, ErrorKind::Unauthorized).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_has_a_server_with_tls() {
    let redis = RedisTls::start().await;
    let options = options(&redis.settings());
    exercise(&options).await;
    is_refused(&RedisOptions { ca: None, ..options }, ErrorKind::Invalid).await;
}

/// What `docs/operations.md` says that a user needs.
#[tokio::test(flavor = "multi_thread")]
async fn so_has_a_server_with_few_rights() {
    let rights = "user chat on >secret ~few:* &few:* +@all -@admin -@dangerous +info";
    let redis = RedisServer::start(&[rights.to_owned()]).await;
    let url = format!("redis://chat:secret@{}", redis.address());
    exercise(&RedisOptions::new(RedisKind::Single(url), "few")).await;
    let log: Vec<Value> = redis.ask(redis::cmd("ACL").arg("LOG")).await.unwrap();
    assert!(log.is_empty(), "{log:?}");
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

/// Nobody can announce anything then: workers look into SQL by themselves. Afterwards all is as before.
#[tokio::test(flavor = "multi_thread")]
async fn workers_look_into_sql_while_redis_is_away() {
    let redis = PrivateEngine::redis();
    let options = RedisOptions::new(RedisKind::Single(redis.url().to_owned()), "test");
    let [api, worker] = two(&options).await;
    worker.lanes.set_slots(Lane::Chat, 8);
    eventually("there is room", async || api.lanes.has_room(Lane::Chat).then_some(())).await;

    redis.stop();
    eventually("it is away", async || api.bus.ping().await.err()).await;
    assert!(!api.lanes.has_room(Lane::Chat));
    api.lanes.backlog(Lane::Chat);
    let begun = Instant::now();
    let looks = async || {
        let looking = timeout(Duration::from_secs(5), worker.lanes.take(Lane::Chat, 8));
        let Work::Backlog(seen) = looking.await.expect("nobody looks").unwrap() else {
            panic!("nobody can offer anything")
        };
        worker.lanes.drained(Lane::Chat, seen);
    };
    for _ in 0..4 {
        looks().await;
    }
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(400), "it asks SQL all the time: four times in {took:?}");
    assert!(took < Duration::from_secs(3), "four looks took {took:?}");

    redis.start();
    let one = Ready { job: JobId::new(), lane: Lane::Chat, priority: 0 };
    let arrives = async {
        loop {
            match worker.lanes.take(Lane::Chat, 8).await.unwrap() {
                Work::Offered(ids) => return ids,
                Work::Backlog(seen) => worker.lanes.drained(Lane::Chat, seen),
            }
        }
    };
    let offering = async {
        eventually("there is room again", async || api.lanes.has_room(Lane::Chat).then_some(())).await;
        api.lanes.offer(one).await;
    };
    let (ids, ()) = tokio::join!(timeout(Duration::from_secs(10), arrives), offering);
    assert_eq!(ids.expect("it does not arrive"), [one.job]);
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
