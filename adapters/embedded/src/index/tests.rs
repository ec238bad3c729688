use super::*;
use chat_core::{ChunkId, CollectionId, ErrorKind, ports::SearchMode};
use std::time::{Duration, Instant};

const MODEL: &str = "test-4";

struct Fixture {
    _folder: tempfile::TempDir,
    index: EmbeddedIndex,
    tenant: Tenant,
    collection: CollectionId,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let index = EmbeddedIndex::open(folder.path().join("index.db")).await.unwrap();
        Self { _folder: folder, index, tenant: Tenant::default(), collection: CollectionId::new() }
    }

    fn point(&self, keywords: &str, vector: [f32; 4]) -> Point {
        let version = VersionId::new();
        let (id, document) = (ChunkId::of(version, 0, MODEL), DocumentId::new());
        let vector = vector.to_vec();
        Point { id, version, document, collection: self.collection, keywords: keywords.into(), vector }
    }

    async fn add(&self, points: &[&Point]) {
        let points = points.iter().map(|point| (*point).clone()).collect();
        self.index.upsert(&self.tenant, MODEL, points).await.unwrap();
    }

    fn query(&self, mode: SearchMode, terms: &str, vector: [f32; 4]) -> IndexQuery {
        IndexQuery {
            tenant: self.tenant.clone(),
            model: MODEL.into(),
            collections: vec![],
            documents: None,
            terms: terms.split_whitespace().map(str::to_owned).collect(),
            vector: vector.to_vec(),
            mode,
            alpha: 0.5,
            limit: 10,
        }
    }

    async fn ids(&self, query: IndexQuery) -> Vec<ChunkId> {
        self.index.search(query).await.unwrap().iter().map(|hit| hit.id).collect()
    }

    async fn keyword(&self, terms: &str) -> Vec<ChunkId> {
        self.ids(self.query(SearchMode::Keyword, terms, X)).await
    }

    async fn vector(&self, vector: [f32; 4]) -> Vec<ChunkId> {
        self.ids(self.query(SearchMode::Vector, "", vector)).await
    }
}

const X: [f32; 4] = [1.0, 0.0, 0.0, 0.0];
const Y: [f32; 4] = [0.0, 1.0, 0.0, 0.0];
const BETWEEN: [f32; 4] = [0.6, 0.8, 0.0, 0.0];

#[tokio::test]
async fn words_match_exactly_whatever_they_are_made_of() {
    let f = Fixture::new().await;
    let han = f.point("所 有 权 所有 有权", X);
    let code = f.point("c++ snake_case naïve don't", Y);
    f.add(&[&han, &code]).await;
    for word in ["所有", "权"] {
        assert_eq!(f.keyword(word).await, [han.id], "{word}");
    }
    for word in ["c++", "snake_case", "naïve", "don't"] {
        assert_eq!(f.keyword(word).await, [code.id], "{word}");
    }
    for word in ["所有权", "c", "snake", "naive", "\"", "OR"] {
        assert!(f.keyword(word).await.is_empty(), "{word}");
    }
}

#[tokio::test]
async fn rarer_words_count_more() {
    let f = Fixture::new().await;
    let points: Vec<Point> =
        (0..20).map(|n| f.point(if n == 7 { "rust trait" } else { "rust borrow" }, X)).collect();
    f.add(&points.iter().collect::<Vec<_>>()).await;
    let hits = f.index.search(f.query(SearchMode::Keyword, "rust trait", X)).await.unwrap();
    assert_eq!(hits[0].id, points[7].id);
    assert!((hits[0].score - 1.0).abs() < f32::EPSILON && hits[1].score < 0.5);
    assert!(hits[0].keyword.unwrap() > 0.0 && hits[0].vector.is_none());
    assert_eq!(hits.len(), 10);
}

#[tokio::test]
async fn the_nearest_vectors_come_first() {
    let f = Fixture::new().await;
    let (x, y, between) = (f.point("a", X), f.point("b", Y), f.point("c", BETWEEN));
    f.add(&[&x, &y, &between]).await;
    let hits = f.index.search(f.query(SearchMode::Vector, "", X)).await.unwrap();
    assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [x.id, between.id, y.id]);
    assert_eq!(hits.iter().map(|hit| hit.vector.unwrap()).collect::<Vec<_>>(), [1.0, 0.6, 0.0]);
}

#[tokio::test]
async fn hybrid_search_weighs_both() {
    let f = Fixture::new().await;
    let (near, matching, neither) = (f.point("other", X), f.point("word", Y), f.point("nothing", Y));
    f.add(&[&near, &matching, &neither]).await;
    for (alpha, first) in [(0.9, near.id), (0.1, matching.id)] {
        let query = IndexQuery { alpha, ..f.query(SearchMode::Hybrid, "word", X) };
        let hits = f.index.search(query).await.unwrap();
        assert_eq!(hits[0].id, first, "alpha {alpha}");
        assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score) && hit.vector.is_some()));
    }
}

#[tokio::test]
async fn filters_hold_in_every_mode() {
    let f = Fixture::new().await;
    let here = f.point("word", BETWEEN);
    let there = Point { collection: CollectionId::new(), ..f.point("word", X) };
    f.add(&[&here, &there]).await;
    for mode in [SearchMode::Hybrid, SearchMode::Vector, SearchMode::Keyword] {
        let query = f.query(mode, "word", X);
        assert_eq!(f.ids(query.clone()).await.len(), 2);
        let narrowed = IndexQuery { collections: vec![f.collection], ..query.clone() };
        assert_eq!(f.ids(narrowed).await, [here.id], "{mode:?}");
        let narrowed = IndexQuery { documents: Some(vec![here.document]), ..query.clone() };
        assert_eq!(f.ids(narrowed).await, [here.id], "{mode:?}");
        let contradiction = IndexQuery {
            collections: vec![f.collection],
            documents: Some(vec![there.document]),
            ..query.clone()
        };
        assert!(f.ids(contradiction).await.is_empty(), "{mode:?}");
        let none = IndexQuery { documents: Some(vec![]), ..query };
        assert!(f.ids(none).await.is_empty(), "{mode:?}");
    }
}

#[tokio::test]
async fn tenants_and_models_never_meet() {
    let f = Fixture::new().await;
    let point = f.point("word", X);
    f.add(&[&point]).await;
    let (other, mut theirs) = (Tenant::from("other"), f.point("word", Y));
    theirs.document = point.document;
    f.index.upsert(&other, MODEL, vec![theirs.clone()]).await.unwrap();
    f.index.upsert(&f.tenant, "longer", vec![Point { vector: vec![1.0; 8], ..point.clone() }]).await.unwrap();
    for mode in [SearchMode::Hybrid, SearchMode::Vector, SearchMode::Keyword] {
        let query = f.query(mode, "word", X);
        assert_eq!(f.ids(query.clone()).await, [point.id]);
        assert_eq!(f.ids(IndexQuery { tenant: other.clone(), ..query.clone() }).await, [theirs.id]);
        assert!(f.ids(IndexQuery { tenant: "nobody".into(), ..query }).await.is_empty());
    }
    assert_eq!(f.index.count(&other, point.version).await.unwrap(), 0);
    assert_eq!(f.index.count(&f.tenant, point.version).await.unwrap(), 2);
    f.index.delete_version(&other, point.version).await.unwrap();
    f.index.delete_document(&other, point.document).await.unwrap();
    assert_eq!(f.keyword("word").await, [point.id]);
}

#[tokio::test]
async fn a_second_upsert_replaces() {
    let f = Fixture::new().await;
    let old = f.point("old", X);
    f.add(&[&old]).await;
    assert_eq!(f.vector(X).await, [old.id]); // in memory from here on
    let new = Point { keywords: "new".into(), vector: Y.to_vec(), ..old.clone() };
    f.add(&[&new]).await;
    assert!(f.keyword("old").await.is_empty());
    assert_eq!(f.keyword("new").await, [old.id]);
    let hits = f.index.search(f.query(SearchMode::Vector, "", Y)).await.unwrap();
    assert_eq!((hits.len(), hits[0].vector), (1, Some(1.0)));
    assert_eq!(f.index.count(&f.tenant, old.version).await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_deleted_cannot_be_found() {
    let f = Fixture::new().await;
    let (first, mut second, kept) = (f.point("word", X), f.point("word", BETWEEN), f.point("word", Y));
    second.document = first.document;
    f.add(&[&first, &second, &kept]).await;
    assert_eq!(f.vector(X).await.len(), 3); // in memory from here on
    f.index.delete_version(&f.tenant, first.version).await.unwrap();
    assert_eq!(f.index.count(&f.tenant, first.version).await.unwrap(), 0);
    assert_eq!(f.vector(X).await, [second.id, kept.id]);
    f.index.delete_document(&f.tenant, second.document).await.unwrap();
    assert_eq!(f.keyword("word").await, [kept.id]);
    assert_eq!(f.vector(X).await, [kept.id]);
    f.index.delete_version(&f.tenant, kept.version).await.unwrap();
    f.index.delete_version(&f.tenant, kept.version).await.unwrap();
    assert!(f.keyword("word").await.is_empty() && f.vector(X).await.is_empty());
    f.add(&[&kept]).await; // a space that went comes back
    assert_eq!(f.keyword("word").await, [kept.id]);
    assert_eq!(f.vector(Y).await, [kept.id]);
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.db");
    let mut f = Fixture::new().await;
    f.index = EmbeddedIndex::open(&path).await.unwrap();
    let (kept, gone) = (f.point("词 kept", BETWEEN), f.point("gone", X));
    f.add(&[&kept, &gone]).await;
    f.index.delete_version(&f.tenant, gone.version).await.unwrap();
    f.index.inner.readers.close().await;
    f.index = EmbeddedIndex::open(&path).await.unwrap();
    f.index.ping().await.unwrap();
    assert_eq!(f.keyword("词").await, [kept.id]);
    let hits = f.index.search(f.query(SearchMode::Hybrid, "kept gone", X)).await.unwrap();
    assert_eq!((hits.len(), hits[0].id, hits[0].vector), (1, kept.id, Some(0.6)));
}

#[tokio::test]
async fn vectors_that_cannot_be_compared_are_refused() {
    let f = Fixture::new().await;
    let good = f.point("word", X);
    f.add(&[&good]).await;
    for vector in [vec![], vec![1.0; 3], vec![f32::NAN; 4]] {
        let bad = Point { vector, ..f.point("word", X) };
        let refused = f.index.upsert(&f.tenant, MODEL, vec![f.point("word", X), bad]).await;
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Invalid);
    }
    let query = IndexQuery { vector: vec![1.0; 3], ..f.query(SearchMode::Vector, "", X) };
    assert_eq!(f.index.search(query).await.unwrap_err().kind, ErrorKind::Invalid);
    assert_eq!(f.keyword("word").await, [good.id], "a refused batch leaves nothing");
}

/// Writers, a remover and readers at once: no search fails, and in the end memory and file agree.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn searches_and_writes_at_once_end_in_agreement() {
    let f = Arc::new(Fixture::new().await);
    let writers = (0..3).map(|n| {
        let f = f.clone();
        tokio::task::spawn(async move {
            for m in 0..20 {
                let points: Vec<Point> =
                    (0..5).map(|k| f.point("word", [n as f32, m as f32, k as f32, 1.0])).collect();
                f.add(&points.iter().collect::<Vec<_>>()).await;
                f.index.delete_version(&f.tenant, points[0].version).await.unwrap();
                assert!(!f.keyword("word").await.contains(&points[0].id));
                // A write that its caller gives up half-way, at one point or another.
                let abandoned = f.point("word", Y);
                let upsert = f.index.upsert(&f.tenant, MODEL, vec![abandoned]);
                let _ = tokio::time::timeout(Duration::from_micros(50 * m), upsert).await;
                assert!(!f.vector(X).await.contains(&points[0].id));
            }
        })
    });
    let deadline = Instant::now() + Duration::from_mins(1);
    for writer in writers.collect::<Vec<_>>() {
        tokio::time::timeout_at(deadline.into(), writer).await.unwrap().unwrap();
    }
    let all = |mode| IndexQuery { limit: 1_000, ..f.query(mode, "word", X) };
    let (mut in_memory, mut in_file) =
        (f.ids(all(SearchMode::Vector)).await, f.ids(all(SearchMode::Keyword)).await);
    in_memory.sort_unstable();
    in_file.sort_unstable();
    assert!(in_memory.len() >= 3 * 20 * 4);
    assert_eq!(in_memory, in_file);
}
