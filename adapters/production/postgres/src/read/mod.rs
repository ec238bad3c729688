//! Reads. Each takes a reader for as long as its statements run, never longer.

mod answers;
mod chat;
mod document_rows;
mod documents;
mod events;
mod jobs;
mod keys;
mod lanes;
mod models;
mod usage;
mod words;

pub(crate) use answers::{AnswerKey, answers_work};
pub(crate) use models::ModelRow;

use chat_core::PageRequest;
use serde::de::DeserializeOwned;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// How long an idempotent request's answer is kept: a day.
pub(crate) const ANSWER_AGE_MS: i64 = 24 * 60 * 60 * 1_000;

/// A page's rows, one more than asked for, to see whether there are more. `$query` is a macro that ends a statement
/// whose first column is an id, in time order. `$1` and `$2` are the ids between which the page is, `$3` is the limit.
macro_rules! page_of {
    ($store:expr, $page:expr, $query:ident, $first:literal $(+ $rest:literal)* $(, $argument:expr)*) => {{
        let ((low, high), limit) = ($crate::read::bounds($page), i64::from($page.limit) + 1);
        if $page.ascending {
            let query = $query!($first $(+ $rest)* + " ORDER BY 1 LIMIT $3", low, high, limit $(, $argument)*);
            query.fetch_all($store.pool()).await
        } else {
            let query = $query!($first $(+ $rest)* + " ORDER BY 1 DESC LIMIT $3", low, high, limit $(, $argument)*);
            query.fetch_all($store.pool()).await
        }
        .map_err($crate::error::port_error)
    }};
}
use page_of;

/// The ids between which a page is, both exclusive. No row has the first or the last id that there can be.
fn bounds(page: PageRequest) -> (Uuid, Uuid) {
    let (low, high) = if page.ascending { (page.after, page.before) } else { (page.before, page.after) };
    (low.unwrap_or(Uuid::nil()), high.unwrap_or(Uuid::max()))
}

/// Ends a statement that is put together for its request with a page's range, order and limit.
fn page(query: &mut QueryBuilder<Postgres>, id: &'static str, page: PageRequest) {
    let (low, high) = bounds(page);
    query
        .push(" AND ")
        .push(id)
        .push(" > ")
        .push_bind(low)
        .push(" AND ")
        .push(id)
        .push(" < ")
        .push_bind(high);
    let order = if page.ascending { " ASC" } else { " DESC" };
    query.push(" ORDER BY ").push(id).push(order).push(" LIMIT ").push_bind(i64::from(page.limit) + 1);
}

/// Reads a JSON column; what cannot be read is as if it were not there.
fn from_json<T: DeserializeOwned>(text: Option<&str>) -> Option<T> {
    text.and_then(|text| serde_json::from_str(text).ok())
}
