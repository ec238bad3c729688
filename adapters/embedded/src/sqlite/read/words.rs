//! Keyword search in the rows. The index is in this process, so it is hardly ever needed: nothing is kept for it, and
//! the passages that can be found are read, one after the other.

use crate::sqlite::{SqliteStore, error::port_error};
use chat_core::{
    Chunk, ChunkId, PortResult,
    ports::{Hit, KeywordQuery},
    text::Ranking,
};
use futures::TryStreamExt;
use sqlx::{QueryBuilder, Row};
use sqlx_sqlite::Sqlite;
use uuid::Uuid;

/// The most passages that are read, those of the newest documents first.
const MOST: i64 = 50_000;
/// After so many passages others have their turn.
const TURN: usize = 64;

pub(super) async fn find(store: &SqliteStore, query: &KeywordQuery) -> PortResult<Vec<Hit>> {
    if query.terms.is_empty() || query.limit == 0 || query.documents.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let mut select = QueryBuilder::<Sqlite>::new(
        "SELECT k.id, k.title, k.text FROM documents d JOIN chunks k ON k.version = d.live_version
         WHERE d.hidden = 0 AND d.tenant = ",
    );
    select.push_bind(query.tenant.as_str());
    one_of(&mut select, "d.collection", query.collections.iter().map(|id| id.0));
    one_of(&mut select, "d.id", query.documents.iter().flatten().map(|id| id.0));
    select.push(" ORDER BY d.id DESC LIMIT ").push_bind(MOST);
    let mut rows = select.build().fetch(store.readers());
    let (mut ranking, mut read) = (Ranking::of(&query.terms), 0);
    while let Some(row) = rows.try_next().await.map_err(port_error)? {
        let title: Option<&str> = row.get(1);
        ranking.add(ChunkId(row.get::<Uuid, _>(0)), &Chunk::with_heading(title, row.get(2)));
        read += 1;
        if read % TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(ranking.best(query.limit))
}

/// No ids: no condition.
fn one_of(select: &mut QueryBuilder<Sqlite>, column: &'static str, ids: impl Iterator<Item = Uuid>) {
    let mut ids = ids.peekable();
    if ids.peek().is_none() {
        return;
    }
    select.push(" AND ").push(column).push(" IN (");
    let mut list = select.separated(", ");
    ids.for_each(|id| {
        list.push_bind(id);
    });
    select.push(")");
}
