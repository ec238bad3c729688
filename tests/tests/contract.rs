//! Every adapter passes its port's suite.
#![allow(clippy::unwrap_used)]

use chat_core::{
    ErrorKind, JobId, Limits, Tenant,
    ports::{Blobs, Clock, Index, Limiter},
};
use chat_embedded::{
    EmbeddedIndex, FileBlobs, MemoryBus, MemoryCache, MemoryLanes, MemoryLimiter, SqliteOptions, SqliteStore,
    SystemClock,
};
use chat_postgres::{PostgresOptions, PostgresStore};
use chat_redis::{LaneKind, RedisKind, RedisPorts};
use chat_s3::S3Blobs;
use chat_tests::{
    chat::eventually,
    contract,
    engines::{Engines, Ground, PrivateEngine},
};
use chat_weaviate::{WeaviateIndex, WeaviateOptions};
use futures::future::join_all;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("chat.db"))).await.unwrap();
    contract::jobs::exercise(&store).await;
    contract::rows::exercise(&store).await;
    contract::documents::exercise(&store).await;
    contract::tenants::exercise(&store).await;
    contract::turns::exercise(&store).await;
    contract::words::exercise(&store).await;
    contract::models::exercise(&store).await;
    let cache = MemoryCache::new();
    contract::memo::exercise((&store, &cache), (&store, &cache)).await;
    contract::usage::exercise(&store).await;
    contract::pauses::exercise(&store, &store).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_a_store() {
    let engines = Engines::named();
    let ground = Ground::claim(&engines).await;
    let options = PostgresOptions::new(ground.database_url());
    let refused = PostgresStore::connect(options.clone()).await.map(drop).unwrap_err();
    assert!(refused.kind == ErrorKind::Invalid && refused.message.contains("chat migrate"), "{refused}");
    PostgresStore::migrate(&options).await.unwrap();
    PostgresStore::migrate(&options).await.unwrap();
    let store = PostgresStore::connect(options.clone()).await.unwrap();
    contract::jobs::exercise(&store).await;
    contract::rows::exercise(&store).await;
    contract::documents::exercise(&store).await;
    contract::tenants::exercise(&store).await;
    contract::turns::exercise(&store).await;
    contract::words::exercise(&store).await;
    contract::models::exercise(&store).await;
    contract::usage::exercise(&store).await;
    let other = PostgresStore::connect(options).await.unwrap();
    let redis = RedisKind::Single(engines.setting("REDIS_URL").to_owned());
    let one = RedisPorts::connect(&redis, ground.prefix()).await.unwrap();
    let two = RedisPorts::connect(&redis, ground.prefix()).await.unwrap();
    contract::memo::exercise((&store, &*one.cache), (&other, &*two.cache)).await;
    contract::pauses::exercise(&store, &other).await;
    contract::replicas::exercise(&store, &other).await;
    store.close().await;
    other.close().await;
}

/// What the compiler checked the statements against is what PostgreSQL says.
#[tokio::test(flavor = "multi_thread")]
async fn postgresql_says_what_the_compiler_was_told() {
    let ground = Ground::claim(&Engines::named()).await;
    PostgresStore::migrate(&PostgresOptions::new(ground.database_url())).await.unwrap();
    let checked = chat_tests::queries::check(&ground.database().await).await;
    assert!(checked > 80, "only {checked} statements were found");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_has_lanes_a_bus_a_cache_and_counters() {
    let lanes = Arc::new(MemoryLanes::new());
    contract::lanes::exercise(lanes.clone(), lanes).await;
    let bus = Arc::new(MemoryBus::new());
    contract::bus::exercise(bus.clone(), bus).await;
    let cache = MemoryCache::new();
    contract::cache::exercise(&cache, &cache).await;
    let limiter = MemoryLimiter::new(Arc::new(SystemClock));
    contract::limiter::exercise(&limiter, &limiter).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_has_lanes_a_bus_a_cache_and_counters_for_all_processes() {
    let engines = Engines::named();
    let ground = Ground::claim(&engines).await;
    let redis = RedisKind::Single(engines.setting("REDIS_URL").to_owned());
    let one = RedisPorts::connect(&redis, ground.prefix()).await.unwrap();
    let other = RedisPorts::connect(&redis, ground.prefix()).await.unwrap();
    contract::lanes::exercise(one.lanes.clone(), other.lanes.clone()).await;
    contract::bus::exercise(one.bus.clone(), other.bus.clone()).await;
    contract::cache::exercise(&*one.cache, &*other.cache).await;
    contract::limiter::exercise(&*one.limiter, &*other.limiter).await;
    let counters = ground.keys("*limits*").await;
    assert!(counters.len() >= 10, "{counters:?}");
    for (key, left) in counters {
        assert!(left > 0, "{key} has no end");
    }
    assert!(one.memory_used().await.is_some_and(|bytes| bytes > 100_000));
    let wrong = RedisKind::Single(engines.setting("REDIS_URL").replace("://:", "://:wrong"));
    let refused = RedisPorts::connect(&wrong, ground.prefix()).await.map(drop).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unauthorized, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_counted_while_redis_is_away_and_their_tokens_afterwards() {
    let redis = PrivateEngine::redis();
    let ports = RedisPorts::connect(&RedisKind::Single(redis.url().to_owned()), "test").await.unwrap();
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
    let other = RedisPorts::connect(&RedisKind::Single(redis.url().to_owned()), "test").await.unwrap();
    eventually("what was used is counted in Redis", async || {
        (other.limiter.look(&tenant, &tokens).await[0].used == 80).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apalis_redis_has_lanes_for_all_processes() {
    let engines = Engines::named();
    let ground = Ground::claim(&engines).await;
    let redis = RedisKind::Single(engines.setting("REDIS_URL").to_owned());
    let connect = || RedisPorts::connect_with(&redis, ground.prefix(), LaneKind::Apalis);
    let (one, other) = (connect().await.unwrap(), connect().await.unwrap());
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

#[tokio::test]
async fn a_folder_holds_blobs() {
    let folder = tempfile::tempdir().unwrap();
    contract::blobs::exercise(&FileBlobs::open(folder.path()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_holds_blobs() {
    let ground = Ground::claim(&Engines::named()).await;
    let options = ground.bucket();
    let blobs = S3Blobs::new(&options);
    let missing = blobs.ping().await.unwrap_err();
    assert!(missing.message.contains("chat init"), "{missing}");
    assert!(blobs.prepare().await.unwrap());
    assert!(!blobs.prepare().await.unwrap());
    contract::blobs::exercise(&blobs).await;
    // What a caller left behind was thrown away at once; what a killed process left is, after a day.
    ground.begin_upload("left").await;
    let now = SystemClock.now();
    assert_eq!(blobs.abort_abandoned(now).await.unwrap(), 0, "it may still be under way");
    let late = now.plus(Duration::from_hours(25));
    assert_eq!(blobs.abort_abandoned(late).await.unwrap(), 1);
    assert_eq!(blobs.abort_abandoned(late).await.unwrap(), 0);
    let refused = S3Blobs::new(&chat_s3::S3Options { secret_key: "wrong".into(), ..options.clone() });
    assert_eq!(refused.ping().await.unwrap_err().kind, ErrorKind::Unauthorized);
    let nobody = S3Blobs::new(&chat_s3::S3Options { endpoint: "http://127.0.0.1:1".into(), ..options });
    assert_eq!(nobody.ping().await.unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn one_process_has_an_index() {
    let folder = tempfile::tempdir().unwrap();
    contract::index::exercise(&EmbeddedIndex::open(folder.path().join("index.db")).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn weaviate_is_an_index() {
    let ground = Ground::claim(&Engines::named()).await;
    let options = ground.index();
    let index = WeaviateIndex::new(&options).unwrap();
    assert!(index.prepare("first-model").await.unwrap());
    assert!(!index.prepare("first-model").await.unwrap());
    contract::index::exercise(&index).await;
    let refused =
        WeaviateIndex::new(&WeaviateOptions { api_key: Some("wrong".into()), ..options.clone() }).unwrap();
    assert_eq!(refused.check().await.unwrap_err().kind, ErrorKind::Unauthorized);
    let nobody =
        WeaviateIndex::new(&WeaviateOptions { url: "http://127.0.0.1:1".into(), grpc_port: 1, ..options });
    let error = nobody.unwrap().ping().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
}
