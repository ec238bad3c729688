//! Every adapter passes its port's suite.
#![allow(clippy::unwrap_used)]

mod redis;

use chat_core::{
    ErrorKind, JobId, Lane, NewJob,
    ports::{Blobs, Clock, Index, JobStore},
};
use chat_embedded::{
    EmbeddedIndex, FileBlobs, MemoryBus, MemoryCache, MemoryLanes, MemoryLimiter, SqliteOptions, SqliteStore,
    SystemClock,
};
use chat_postgres::{PostgresOptions, PostgresStore};
use chat_s3::S3Blobs;
use chat_tests::{
    contract,
    engines::{Engines, Ground},
};
use chat_weaviate::{WeaviateIndex, WeaviateOptions};
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
    assert!(store.pool_state().size < 8);
    store.warm().await;
    assert!(store.pool_state().size > 8 + 4);
    contract::jobs::exercise(&store).await;
    contract::rows::exercise(&store).await;
    contract::documents::exercise(&store).await;
    contract::tenants::exercise(&store).await;
    contract::turns::exercise(&store).await;
    contract::words::exercise(&store).await;
    contract::words::frequencies(&store).await;
    contract::models::exercise(&store).await;
    contract::usage::exercise(&store).await;
    let other = PostgresStore::connect(options).await.unwrap();
    let [one, two] = redis::two(&redis::options(&ground.settings())).await;
    contract::memo::exercise((&store, &*one.cache), (&other, &*two.cache)).await;
    contract::pauses::exercise(&store, &other).await;
    contract::replicas::exercise(&store, &other).await;
    store.close().await;
    other.close().await;
}

/// A statement is planned by what its table looked like. With a single row then, a plan may begin with the table and
/// look for the next jobs once for each row of it: each time it finds others, and takes them too.
#[tokio::test(flavor = "multi_thread")]
async fn postgresql_claims_no_more_jobs_than_were_asked_for() {
    let ground = Ground::claim(&Engines::named()).await;
    let options = PostgresOptions::new(ground.database_url());
    PostgresStore::migrate(&options).await.unwrap();
    let store = PostgresStore::connect(options).await.unwrap();
    let worker = contract::jobs::worker(&store).await;
    let job = || NewJob { lane: Lane::Ingest, ..contract::jobs::job() };
    contract::jobs::enqueue(&store, job()).await;
    sqlx::raw_sql("VACUUM ANALYZE jobs").execute(&ground.database().await).await.unwrap();
    for _ in 0..16 {
        contract::jobs::enqueue(&store, job()).await;
    }
    for _ in 0..8 {
        assert_eq!(store.claim_next(worker, Lane::Ingest, 2).await.unwrap().len(), 2);
    }
    assert_eq!(store.claim_next(worker, Lane::Ingest, 2).await.unwrap().len(), 1);
    store.close().await;
}

/// Claims of a backlog begin where an earlier one found its first job, and what comes before that is still found: jobs of
/// a higher priority with the next claim, others within about a second, and at once when nothing else waits.
#[tokio::test(flavor = "multi_thread")]
async fn postgresql_finds_jobs_that_come_before_the_place_where_claims_begin() {
    let ground = Ground::claim(&Engines::named()).await;
    let options = PostgresOptions::new(ground.database_url());
    PostgresStore::migrate(&options).await.unwrap();
    let (store, rows) = (PostgresStore::connect(options).await.unwrap(), ground.database().await);
    let worker = contract::jobs::worker(&store).await;
    let job = |priority| NewJob { lane: Lane::Ingest, priority, ..contract::jobs::job() };
    let mut jobs = Vec::new();
    for _ in 0..8 {
        jobs.push(contract::jobs::enqueue(&store, job(0)).await);
    }
    let next = async |limit| {
        let claims = store.claim_next(worker, Lane::Ingest, limit).await.unwrap();
        claims.into_iter().map(|claim| claim.job).collect::<Vec<_>>()
    };
    // A job whose process has a fair clock that lags.
    let start_at = async |vtime: f64, job: JobId| {
        let start = sqlx::query("UPDATE jobs SET vtime = $1 WHERE id = $2").bind(vtime).bind(job.0);
        assert_eq!(start.execute(&rows).await.unwrap().rows_affected(), 1);
    };
    assert_eq!(next(2).await, jobs[..2]);
    start_at(-1.0, jobs[6]).await;
    let urgent = contract::jobs::enqueue(&store, job(5)).await;
    let minor = contract::jobs::enqueue(&store, job(-5)).await;
    assert_eq!(next(1).await, [urgent], "of a higher priority");
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut taken = 2;
    loop {
        let one = next(1).await;
        if one == [jobs[6]] {
            break;
        }
        assert!(Instant::now() < deadline && one == [jobs[taken]], "{one:?}");
        taken += 1;
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    assert!(taken > 2, "claims begin at the front each time");
    let mut left: Vec<_> = jobs[taken..].iter().copied().filter(|job| *job != jobs[6]).collect();
    assert_eq!(next(1).await, [left.remove(0)]);
    let last = left.pop().unwrap();
    start_at(-2.0, last).await;
    assert_eq!(next(10).await, [vec![last], left, vec![minor]].concat(), "nothing else waits");
    store.close().await;
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
    let half = WeaviateIndex::new(&WeaviateOptions { grpc_port: 1, ..options.clone() }).unwrap();
    for found in [half.ping().await, half.check().await, half.prepare("first-model").await.map(drop)] {
        let error = found.unwrap_err();
        assert!(
            error.kind == ErrorKind::Unavailable && error.message.contains("WEAVIATE_GRPC_PORT"),
            "{error}"
        );
    }
    let nobody =
        WeaviateIndex::new(&WeaviateOptions { url: "http://127.0.0.1:1".into(), grpc_port: 1, ..options });
    let error = nobody.unwrap().ping().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
}
