//! Copies of rows in the cache, and when they are right.
//!
//! A copy is never believed. It carries the revision of the row that it was made of, in the very read that it was made
//! by, and it is used only if the store says, at the time of the question, that this is the row's revision now. So
//! nothing has to be removed in time: a copy that was stored late, that a lost connection left behind, or that an
//! older replica of the cache brings back is compared like any other, and does not match.
//!
//! The store is asked for the caller's tenant first, so a key needs no tenant, and what is not the caller's is not
//! found before any copy is looked at.

mod chunks;
mod session;
mod sessions;

use crate::ports::{Cache, Store};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::time::Duration;

/// Searches that were answered lately.
pub const SEARCHES: &str = "search_results";

/// The form of the values. What a program of another form kept is not read: a field that it does not know would
/// otherwise be taken for absent.
const FORM: u32 = 1;
/// The longest value, in bytes: a longer one costs more to carry and to read than its rows.
const LONGEST: usize = 256 * 1024;

/// Counts what became of a question to a cache: it was answered from there, or not.
pub fn count(cache: &'static str, hit: bool) {
    let name = if hit { "cache_hits_total" } else { "cache_misses_total" };
    metrics::counter!(name, "cache" => cache).increment(1);
}

/// Reads rows through a cache.
#[derive(Clone, Copy)]
pub struct Memo<'a> {
    store: &'a dyn Store,
    cache: &'a dyn Cache,
}

impl<'a> Memo<'a> {
    /// Reads of this store, with copies in this cache.
    pub fn new(store: &'a dyn Store, cache: &'a dyn Cache) -> Self {
        Self { store, cache }
    }

    /// What was kept under a key, if it can be read.
    async fn read<T: DeserializeOwned>(self, key: &str) -> Option<T> {
        let value = self.cache.get(key).await?;
        let (form, value) = serde_json::from_str::<(u32, &RawValue)>(&value).ok()?;
        (form == FORM).then(|| serde_json::from_str(value.get()).ok()).flatten()
    }

    /// Keeps a value, unless it is too long.
    async fn keep(self, key: &str, value: &impl Serialize, ttl: Duration) {
        let Ok(value) = serde_json::to_string(&(FORM, value)) else { return };
        if value.len() <= LONGEST {
            self.cache.put(key, value.into(), ttl).await;
        }
    }
}
