//! Every adapter passes its port's suite.
#![allow(clippy::unwrap_used)]

use chat_embedded::{SqliteOptions, SqliteStore};
use chat_tests::contract;

#[tokio::test]
async fn sqlite_is_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("chat.db"))).await.unwrap();
    contract::jobs::exercise(&store).await;
    contract::rows::exercise(&store).await;
    store.close().await;
}
