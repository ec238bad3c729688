//! Making what is missing in the engines: schema, collection, bucket. Each step is safe to repeat.

use crate::{
    parts,
    resolve::{OpenError, part},
    rows::postgres,
};
use chat_config::{DatabaseUrl, Index, Settings, Storage};
use chat_core::ports::Clock;
use chat_embedded::SystemClock;
use chat_postgres::PostgresStore;
use futures::future::BoxFuture;

/// Brings the schema of a database outside this process up to date; the number of its version. A database file is
/// brought up to date by whoever opens it.
pub fn migrate(settings: &Settings) -> BoxFuture<'_, Result<Option<i64>, OpenError>> {
    Box::pin(async move {
        match settings.database.url {
            DatabaseUrl::Sqlite { .. } => Ok(None),
            DatabaseUrl::Postgres(_) => PostgresStore::migrate(&postgres(&settings.database))
                .await
                .map(Some)
                .map_err(part("the database")),
        }
    })
}

/// Makes the collection of vectors and the bucket of files, where they are outside this process; ends uploads that
/// processes which died left there.
pub fn init(settings: &Settings) -> BoxFuture<'_, Result<(), OpenError>> {
    Box::pin(async move {
        if let Index::Weaviate(setting) = &settings.index {
            let (_, _, cache, _) = parts::messaging(None);
            let gate = parts::gate(&cache);
            let embedder = parts::embedder(&settings.embedding, &settings.llm, &gate)?;
            let made =
                parts::weaviate(setting)?.prepare(embedder.model()).await.map_err(part("the index"))?;
            tracing::debug!(made, "the vector index is there");
        }
        if let Storage::S3(s3) = &settings.storage {
            let bucket = parts::bucket(s3);
            let made = bucket.prepare().await.map_err(part("the file store"))?;
            let aborted = bucket.abort_abandoned(SystemClock.now()).await.map_err(part("the file store"))?;
            tracing::debug!(made, aborted, "the bucket is there");
        }
        Ok(())
    })
}
