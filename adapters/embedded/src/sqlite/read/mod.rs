//! Reads. Each takes a reader for as long as its statements run, never longer.

mod chat;
mod documents;
mod events;
mod jobs;
mod keys;
mod lanes;
mod models;
mod same;
mod usage;
mod words;

pub(crate) use models::read_model;

use chat_core::PageRequest;
use serde::de::DeserializeOwned;
use sqlx::QueryBuilder;
use sqlx_sqlite::Sqlite;

/// How long an idempotent request's answer is kept: a day.
pub(crate) const ANSWER_AGE_MS: i64 = 24 * 60 * 60 * 1_000;

/// Ends a statement over a table whose ids are in time order with a page's range, order and limit (one more than
/// asked for, to see whether there are more).
fn page(query: &mut QueryBuilder<Sqlite>, id: &'static str, page: PageRequest) {
    let (after, before, order) =
        if page.ascending { (" > ", " < ", " ASC") } else { (" < ", " > ", " DESC") };
    if let Some(at) = page.after {
        query.push(" AND ").push(id).push(after).push_bind(at);
    }
    if let Some(at) = page.before {
        query.push(" AND ").push(id).push(before).push_bind(at);
    }
    query.push(" ORDER BY ").push(id).push(order).push(" LIMIT ").push_bind(i64::from(page.limit) + 1);
}

/// Reads a JSON column; what cannot be read is as if it were not there.
fn from_json<T: DeserializeOwned>(text: Option<&str>) -> Option<T> {
    text.and_then(|text| serde_json::from_str(text).ok())
}
