//! The `Index` port.

use chat_core::{
    ChunkId, CollectionId, DocumentId, Tenant, VersionId,
    ports::{Hit, Holding, Index, IndexQuery, Point, SearchMode},
    text::{fts_terms, keyword_text},
};
use futures::TryStreamExt;
use std::collections::HashSet;

const MODEL: &str = "test/模型-4";
const X: [f32; 4] = [1.0, 0.0, 0.0, 0.0];
const Y: [f32; 4] = [0.0, 1.0, 0.0, 0.0];
const BETWEEN: [f32; 4] = [0.6, 0.8, 0.0, 0.0];

/// Runs every promise.
pub async fn exercise(index: &dyn Index) {
    nothing_is_found_where_nothing_is(index).await;
    words_match_exactly(index).await;
    the_nearest_come_first(index).await;
    both_scores_count(index).await;
    filters_narrow(index).await;
    tenants_and_models_are_apart(index).await;
    what_is_replaced_is_found_once(index).await;
    deleted_is_gone(index).await;
    many_passages(index).await;
    a_model_can_be_dropped(index).await;
    everything_that_is_held_is_listed(index).await;
    index.ping().await.unwrap();
}

async fn everything_that_is_held_is_listed(index: &dyn Index) {
    let (one, other) = (Shelf::new(index), Shelf::new(index));
    // More than one page of versions, and more passages of one version than a page.
    let mut mine: Vec<Point> = (0..1_200).map(|_| point("一", X)).collect();
    let large = point("大", Y);
    mine.extend((0..1_100).map(|at| Point { id: ChunkId::of(large.version, at, MODEL), ..large.clone() }));
    one.add(&mine).await;
    let theirs = point("二", Y);
    other.add(std::slice::from_ref(&theirs)).await;
    let held: HashSet<Holding> = index.holdings().try_collect().await.unwrap();
    let places = |version: VersionId| -> Vec<&Holding> {
        held.iter().filter(|holding| holding.version == version).collect()
    };
    for point in mine.iter().chain([&theirs]) {
        assert_eq!(places(point.version).len(), 1, "{point:?}");
    }
    let stray = places(large.version)[0];
    index.discard(stray).await.unwrap();
    index.discard(stray).await.unwrap();
    assert_eq!(index.count(&one.tenant, large.version).await.unwrap(), 0);
    assert_eq!(index.count(&one.tenant, mine[0].version).await.unwrap(), 1);
    assert_eq!(index.count(&other.tenant, theirs.version).await.unwrap(), 1);
    let held: HashSet<Holding> = index.holdings().try_collect().await.unwrap();
    assert!(!held.contains(stray) && held.contains(places(theirs.version)[0]));
}

struct Shelf<'a> {
    index: &'a dyn Index,
    tenant: Tenant,
}

impl<'a> Shelf<'a> {
    /// A tenant of its own.
    fn new(index: &'a dyn Index) -> Self {
        let tenant = Tenant::from(format!("租户 {}", DocumentId::new()).as_str());
        Self { index, tenant }
    }

    async fn add(&self, points: &[Point]) {
        self.index.upsert(&self.tenant, MODEL, points.to_vec()).await.unwrap();
    }

    fn query(&self, mode: SearchMode, question: &str, vector: [f32; 4]) -> IndexQuery {
        IndexQuery {
            tenant: self.tenant.clone(),
            model: MODEL.into(),
            collections: vec![],
            documents: None,
            terms: fts_terms(question),
            vector: vector.to_vec(),
            mode,
            alpha: 0.5,
            limit: 10,
        }
    }

    async fn hits(&self, query: IndexQuery) -> Vec<Hit> {
        let hits = self.index.search(query).await.unwrap();
        assert!(hits.is_sorted_by(|a, b| a.score >= b.score), "{hits:?}");
        assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score)), "{hits:?}");
        hits
    }

    async fn found(&self, query: IndexQuery) -> Vec<ChunkId> {
        self.hits(query).await.iter().map(|hit| hit.id).collect()
    }

    async fn keyword(&self, question: &str) -> Vec<ChunkId> {
        self.found(self.query(SearchMode::Keyword, question, X)).await
    }
}

fn point(text: &str, vector: [f32; 4]) -> Point {
    let version = VersionId::new();
    let (document, collection) = (DocumentId::new(), CollectionId::new());
    let (id, keywords) = (ChunkId::of(version, 0, MODEL), keyword_text(text));
    Point { id, version, document, collection, keywords, vector: vector.to_vec() }
}

async fn nothing_is_found_where_nothing_is(index: &dyn Index) {
    let shelf = Shelf::new(index);
    for mode in [SearchMode::Hybrid, SearchMode::Vector, SearchMode::Keyword] {
        assert!(shelf.hits(shelf.query(mode, "anything", X)).await.is_empty());
    }
    assert_eq!(index.count(&shelf.tenant, VersionId::new()).await.unwrap(), 0);
    index.delete_version(&shelf.tenant, VersionId::new()).await.unwrap();
    index.delete_document(&shelf.tenant, DocumentId::new()).await.unwrap();
}

async fn words_match_exactly(index: &dyn Index) {
    let shelf = Shelf::new(index);
    let han = point("所有权是 Rust 的核心", X);
    let code = point("The pump of the Cellar runs at 3000 rpm: snake_case, naïve, don't", Y);
    shelf.add(&[han.clone(), code.clone()]).await;
    for question in ["所有权", "权", "RUST", "核心"] {
        assert_eq!(shelf.keyword(question).await, [han.id], "{question}");
    }
    for question in ["cellar", "3000", "the", "naïve", "snake_case"] {
        assert_eq!(shelf.keyword(question).await, [code.id], "{question}");
    }
    for question in ["cell", "租户", "", "？"] {
        assert!(shelf.keyword(question).await.is_empty(), "{question}");
    }
    let hits = shelf.hits(shelf.query(SearchMode::Keyword, "所有权 pump", X)).await;
    assert_eq!(hits.len(), 2);
    assert!(
        (hits[0].score - 1.0).abs() < 1e-6
            && hits.iter().all(|hit| hit.keyword.is_some_and(|bm25| bm25 > 0.0))
    );
}

async fn the_nearest_come_first(index: &dyn Index) {
    let shelf = Shelf::new(index);
    let [x, y, between] = [point("x", X), point("y", Y), point("z", BETWEEN)];
    shelf.add(&[x.clone(), y.clone(), between.clone()]).await;
    let hits = shelf.hits(shelf.query(SearchMode::Vector, "", Y)).await;
    assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [y.id, between.id, x.id]);
    for (hit, cosine) in hits.iter().zip([1.0, 0.8, 0.0]) {
        assert!(hit.vector.is_some_and(|found| (found - cosine).abs() < 0.01), "{hit:?} is not {cosine}");
    }
    let two = IndexQuery { limit: 2, ..shelf.query(SearchMode::Vector, "", X) };
    assert_eq!(shelf.found(two).await, [x.id, between.id]);
    let none = IndexQuery { limit: 0, ..shelf.query(SearchMode::Vector, "", X) };
    assert!(shelf.found(none).await.is_empty());
}

async fn both_scores_count(index: &dyn Index) {
    let shelf = Shelf::new(index);
    let (near, word, far) = (point("甲", X), point("泵的维护 泵", BETWEEN), point("乙", Y));
    shelf.add(&[near.clone(), word.clone(), far.clone()]).await;
    let query = |alpha| IndexQuery { alpha, ..shelf.query(SearchMode::Hybrid, "泵", X) };
    assert_eq!(shelf.found(query(0.1)).await[0], word.id);
    let by_meaning = shelf.hits(query(0.9)).await;
    assert_eq!(by_meaning[0].id, near.id);
    let both = by_meaning.iter().find(|hit| hit.id == word.id).unwrap();
    assert!(both.keyword.is_some_and(|bm25| bm25 > 0.0) && both.vector.is_some(), "{both:?}");
    let without_words = shelf.found(shelf.query(SearchMode::Hybrid, "", Y)).await;
    assert_eq!(without_words[0], far.id);
}

async fn filters_narrow(index: &dyn Index) {
    let shelf = Shelf::new(index);
    let [a, b, c] = [X, Y, BETWEEN].map(|vector| point("same words", vector));
    shelf.add(&[a.clone(), b.clone(), c.clone()]).await;
    for mode in [SearchMode::Hybrid, SearchMode::Vector, SearchMode::Keyword] {
        let query = || shelf.query(mode, "same", X);
        let in_two = IndexQuery { collections: vec![a.collection, b.collection], ..query() };
        let mut found = shelf.found(in_two).await;
        found.sort();
        let mut wanted = [a.id, b.id];
        wanted.sort();
        assert_eq!(found, wanted, "{mode:?}");
        let in_one = IndexQuery { documents: Some(vec![c.document]), ..query() };
        assert_eq!(shelf.found(in_one).await, [c.id], "{mode:?}");
        let both =
            IndexQuery { collections: vec![a.collection], documents: Some(vec![c.document]), ..query() };
        assert!(shelf.found(both).await.is_empty(), "{mode:?}");
        let nowhere = IndexQuery { documents: Some(vec![]), ..query() };
        assert!(shelf.found(nowhere).await.is_empty(), "{mode:?}");
    }
}

async fn tenants_and_models_are_apart(index: &dyn Index) {
    let (mine, its) = (Shelf::new(index), Shelf::new(index));
    let point = point("secret", X);
    mine.add(std::slice::from_ref(&point)).await;
    for mode in [SearchMode::Hybrid, SearchMode::Vector, SearchMode::Keyword] {
        assert!(its.found(its.query(mode, "secret", X)).await.is_empty());
        let other_model = IndexQuery { model: "another".into(), ..mine.query(mode, "secret", X) };
        assert!(mine.found(other_model).await.is_empty());
        assert_eq!(mine.found(mine.query(mode, "secret", X)).await, [point.id]);
    }
    assert_eq!(index.count(&its.tenant, point.version).await.unwrap(), 0);
    index.delete_document(&its.tenant, point.document).await.unwrap();
    assert_eq!(index.count(&mine.tenant, point.version).await.unwrap(), 1);
    // The next model has vectors of its own length, of the same passage.
    let next = Point { vector: vec![1.0, 0.0], ..point.clone() };
    index.upsert(&mine.tenant, "next", vec![next.clone()]).await.unwrap();
    index.upsert(&mine.tenant, "next", vec![next.clone()]).await.unwrap();
    assert_eq!(index.count(&mine.tenant, point.version).await.unwrap(), 2);
    assert_eq!(index.count_of(&mine.tenant, "next", point.version).await.unwrap(), 1);
    assert_eq!(index.count_of(&mine.tenant, "never heard of", point.version).await.unwrap(), 0);
    assert_eq!(index.count_of(&its.tenant, "next", point.version).await.unwrap(), 0);
    let query = IndexQuery {
        model: "next".into(),
        vector: vec![1.0, 0.0],
        ..mine.query(SearchMode::Hybrid, "secret", X)
    };
    assert_eq!(mine.found(query).await, [next.id]);
    assert_eq!(mine.found(mine.query(SearchMode::Hybrid, "secret", X)).await, [point.id]);
}

async fn what_is_replaced_is_found_once(index: &dyn Index) {
    let shelf = Shelf::new(index);
    let old = point("old words", X);
    let new = Point { keywords: keyword_text("new words"), vector: Y.to_vec(), ..old.clone() };
    shelf.add(&[old]).await;
    shelf.add(std::slice::from_ref(&new)).await;
    assert!(shelf.keyword("old").await.is_empty());
    assert_eq!(shelf.keyword("new").await, [new.id]);
    assert_eq!(shelf.found(shelf.query(SearchMode::Vector, "", Y)).await, [new.id]);
    assert_eq!(index.count(&shelf.tenant, new.version).await.unwrap(), 1);
}

async fn deleted_is_gone(index: &dyn Index) {
    let shelf = Shelf::new(index);
    let first = point("first", X);
    let next = VersionId::new();
    let second = Point { id: ChunkId::of(next, 0, MODEL), version: next, ..first.clone() };
    let other = point("first", X);
    shelf.add(&[first.clone(), second.clone(), other.clone()]).await;
    index.delete_version(&shelf.tenant, first.version).await.unwrap();
    assert_eq!(index.count(&shelf.tenant, first.version).await.unwrap(), 0);
    assert_eq!(shelf.keyword("first").await.len(), 2);
    index.delete_document(&shelf.tenant, first.document).await.unwrap();
    for mode in [SearchMode::Hybrid, SearchMode::Vector, SearchMode::Keyword] {
        assert_eq!(shelf.found(shelf.query(mode, "first", X)).await, [other.id], "{mode:?}");
    }
}

async fn a_model_can_be_dropped(index: &dyn Index) {
    const MANY: u32 = 2_500;
    let old = format!("old/{}", DocumentId::new());
    let shelves = [Shelf::new(index), Shelf::new(index)];
    let version = VersionId::new();
    let points: Vec<_> = (0..MANY)
        .map(|ordinal| Point { id: ChunkId::of(version, ordinal, MODEL), version, ..point("所有权", X) })
        .collect();
    for shelf in &shelves {
        index.upsert(&shelf.tenant, &old, points.clone()).await.unwrap();
        shelf.add(&points[..5]).await;
    }
    let mut steps = 0;
    while index.drop_model(&old).await.unwrap() > 0 {
        steps += 1;
        assert!(steps < 100, "it does not come to an end");
    }
    for shelf in &shelves {
        assert_eq!(index.count_of(&shelf.tenant, &old, version).await.unwrap(), 0);
        assert_eq!(index.count_of(&shelf.tenant, MODEL, version).await.unwrap(), 5);
        assert_eq!(shelf.keyword("所有权").await.len(), 5);
        let query = IndexQuery { model: old.clone(), ..shelf.query(SearchMode::Keyword, "所有权", X) };
        assert!(shelf.found(query).await.is_empty());
    }
    assert_eq!(index.drop_model("never heard of").await.unwrap(), 0);
    index.upsert(&shelves[0].tenant, &old, points[..1].to_vec()).await.unwrap();
    assert_eq!(index.count_of(&shelves[0].tenant, &old, version).await.unwrap(), 1, "it can come back");
}

async fn many_passages(index: &dyn Index) {
    const MANY: u32 = 1_500;
    let shelf = Shelf::new(index);
    let version = VersionId::new();
    let (document, collection) = (DocumentId::new(), CollectionId::new());
    let points = (0..MANY).map(|ordinal| {
        let angle = ordinal as f32 / MANY as f32;
        let vector = vec![angle.cos(), angle.sin(), 0.0, 0.0];
        let keywords = keyword_text(&format!("段落 number{ordinal}"));
        Point { id: ChunkId::of(version, ordinal, MODEL), version, document, collection, keywords, vector }
    });
    shelf.add(&points.collect::<Vec<_>>()).await;
    assert_eq!(index.count(&shelf.tenant, version).await.unwrap(), u64::from(MANY));
    assert_eq!(shelf.keyword("number777").await, [ChunkId::of(version, 777, MODEL)]);
    assert_eq!(shelf.keyword("段落").await.len(), 10);
    index.delete_version(&shelf.tenant, version).await.unwrap();
    assert_eq!(index.count(&shelf.tenant, version).await.unwrap(), 0);
    assert!(shelf.keyword("段落").await.is_empty());
}
