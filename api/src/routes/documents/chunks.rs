use crate::{
    caller::Caller,
    page::{self, List, PageParameters, Part},
    path::PathId,
    problem::{Problem, ProblemBody},
    query::Query,
    state::AppState,
    views::ChunkView,
};
use axum::{Json, extract::State};
use chat_core::{Chunk, ChunkId, DocumentId, Page, PageRequest, PortResult, ports::Store};
use uuid::Uuid;

/// The passages of a document's live version, in the order of the text.
#[utoipa::path(
    get, path = "/documents/{id}/chunks", tag = "documents", params(("id" = String, Path), PageParameters),
    responses(
        (status = 200, body = List<ChunkView>), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub async fn list_chunks(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<DocumentId>,
    mut query: Query,
) -> Result<Json<List<ChunkView>>, Problem> {
    let page = page::wanted::<ChunkId>(&mut query, true);
    query.finish()?;
    let found = match state.ports.memo().chunks(&caller.tenant, id).await? {
        Some(all) => page_of(all, page)?,
        None => read_page(&*state.ports.store, &caller, id, page).await?,
    };
    Ok(Json(page.list(found, |chunk: &Chunk| chunk.id.to_string(), |chunk| ChunkView::of(id, chunk))))
}

/// A page of passages that are all at hand.
fn page_of(all: Vec<Chunk>, part: Part) -> Result<Page<Chunk>, Problem> {
    let place = |name, id: Option<Uuid>| {
        let Some(id) = id else { return Ok(None) };
        let found = all.iter().find(|chunk| chunk.id.uuid() == id);
        found.map(|chunk| Some(chunk.ordinal)).ok_or_else(|| missing(name))
    };
    let page = part.request;
    let (after, before) = (place(part.start(), page.after)?, place("before", page.before)?);
    let range = Range::of(page, after, before, all.len() as u32);
    let rows = all.into_iter().skip(range.from as usize).take(range.count as usize).collect();
    Ok(range.page(rows, page.ascending))
}

/// A page of a document that has too many passages to have them all at hand.
async fn read_page(
    store: &dyn Store,
    caller: &Caller,
    id: DocumentId,
    part: Part,
) -> Result<Page<Chunk>, Problem> {
    let page = part.request;
    let document = store.document(&caller.tenant, id).await?;
    let after = ordinal(store, caller, id, part.start(), page.after).await?;
    let before = ordinal(store, caller, id, "before", page.before).await?;
    let range = Range::of(page, after, before, document.chunk_count as u32);
    let rows = store.chunks(&caller.tenant, id, range.from, range.count).await?;
    Ok(range.page(rows, page.ascending))
}

/// The place of a passage in the document. Ids of passages are not in their order.
async fn ordinal(
    store: &dyn Store,
    caller: &Caller,
    document: DocumentId,
    name: &str,
    id: Option<Uuid>,
) -> Result<Option<u32>, Problem> {
    let Some(id) = id else { return Ok(None) };
    let found: PortResult<Vec<_>> = store.passages(&caller.tenant, &[ChunkId(id)]).await;
    let passage = found?.into_iter().find(|passage| passage.document == document);
    passage.map(|passage| Some(passage.chunk.ordinal)).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Problem {
    Problem::field(name, "is not a passage of this document")
}

/// Which passages a page has, by their place.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    from: u32,
    count: u32,
    has_more: bool,
}

impl Range {
    fn of(page: PageRequest, after: Option<u32>, before: Option<u32>, total: u32) -> Self {
        let (low, high) = if page.ascending { (after, before) } else { (before, after) };
        let first = low.map_or(0, |low| low + 1);
        let end = high.unwrap_or(total).min(total).max(first);
        let count = page.limit.min(end - first);
        let from = if page.ascending { first } else { end - count };
        Self { from, count, has_more: end - first > count }
    }

    /// The page, of its rows in the order of the text.
    fn page(&self, mut rows: Vec<Chunk>, ascending: bool) -> Page<Chunk> {
        if !ascending {
            rows.reverse();
        }
        Page { rows, has_more: self.has_more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: u32, ascending: bool) -> PageRequest {
        PageRequest { limit, ascending, ..PageRequest::default() }
    }

    #[test]
    fn pages_forwards() {
        let range = Range::of(page(4, true), None, None, 10);
        assert_eq!(range, Range { from: 0, count: 4, has_more: true });
        let range = Range::of(page(4, true), Some(5), None, 10);
        assert_eq!(range, Range { from: 6, count: 4, has_more: false });
        let range = Range::of(page(4, true), Some(2), Some(5), 10);
        assert_eq!(range, Range { from: 3, count: 2, has_more: false });
    }

    #[test]
    fn pages_backwards() {
        let range = Range::of(page(4, false), None, None, 10);
        assert_eq!(range, Range { from: 6, count: 4, has_more: true });
        let range = Range::of(page(4, false), Some(2), None, 10);
        assert_eq!(range, Range { from: 0, count: 2, has_more: false });
    }

    #[test]
    fn nothing_has_no_pages() {
        assert_eq!(Range::of(page(4, true), None, None, 0), Range { from: 0, count: 0, has_more: false });
        assert_eq!(
            Range::of(page(4, true), Some(9), None, 10),
            Range { from: 10, count: 0, has_more: false }
        );
    }
}
