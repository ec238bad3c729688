//! Where things are kept, as types.

mod database;
mod files;
mod index;
mod redis;

pub(crate) use database::database_url;
pub use database::{Database, DatabaseUrl};
pub(crate) use files::{Endpoint, StorageProvider, s3_endpoint, storage_provider};
pub use files::{S3, Storage};
pub use index::{Index, Weaviate};
pub(crate) use index::{IndexUrl, index_url};
pub use redis::{Redis, RedisLanes, RedisUrl};
pub(crate) use redis::{redis_lanes, redis_url};

use std::path::PathBuf;

use crate::parse::{self, Parsed};

/// The path in `sqlite:PATH` or `file:///PATH`, after the scheme. Nothing: no path.
fn local_path(rest: &str) -> Parsed<Option<PathBuf>> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.contains('?') {
        return Err("has parameters behind a `?`, which are not supported".into());
    }
    parse::optional(path, parse::path)
}
