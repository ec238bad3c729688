//! Every adapter passes its port's suite.
#![allow(clippy::unwrap_used)]

use chat_core::ErrorKind;
use chat_embedded::{SqliteOptions, SqliteStore};
use chat_postgres::{PostgresOptions, PostgresStore};
use chat_tests::{
    contract,
    engines::{Engines, Ground},
};

#[tokio::test]
async fn sqlite_is_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("chat.db"))).await.unwrap();
    contract::jobs::exercise(&store).await;
    contract::rows::exercise(&store).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_a_store() {
    let ground = Ground::claim(&Engines::named()).await;
    let options = PostgresOptions::new(ground.database_url());
    let refused = PostgresStore::connect(options.clone()).await.map(drop).unwrap_err();
    assert!(refused.kind == ErrorKind::Invalid && refused.message.contains("chat migrate"), "{refused}");
    PostgresStore::migrate(&options).await.unwrap();
    PostgresStore::migrate(&options).await.unwrap();
    let store = PostgresStore::connect(options.clone()).await.unwrap();
    contract::jobs::exercise(&store).await;
    contract::rows::exercise(&store).await;
    let other = PostgresStore::connect(options).await.unwrap();
    contract::replicas::exercise(&store, &other).await;
    store.close().await;
    other.close().await;
}
