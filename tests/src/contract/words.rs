//! Keyword search in the rows, of the `Store` port.

use super::rows::{Library, library, version, write};
use chat_core::{
    Change, Chunk, ChunkId, CollectionId, DocumentId, Tenant, VersionId,
    ports::{Hit, KeywordQuery, Store},
    text::{PASSAGES_PER_ROW, fts_terms},
};
use serde_json::json;

/// Runs every promise.
pub async fn exercise(store: &dyn Store) {
    words_of_live_versions_are_found(store).await;
    filters_narrow(store).await;
    rare_words_are_found_among_many(store).await;
}

fn chunk(version: VersionId, ordinal: u32, title: Option<&str>, text: &str) -> Chunk {
    Chunk {
        id: ChunkId::of(version, ordinal, "m"),
        ordinal,
        title: title.map(str::to_owned),
        text: text.into(),
        start: u64::from(ordinal) * 100,
        end: u64::from(ordinal) * 100 + 99,
        tokens: 9,
    }
}

async fn hits(store: &dyn Store, query: &KeywordQuery) -> Vec<Hit> {
    let hits = store.keyword_search(query).await.unwrap();
    assert!(hits.len() <= query.limit && hits.is_sorted_by(|a, b| a.score >= b.score), "{hits:?}");
    assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score) && hit.vector.is_none()), "{hits:?}");
    hits
}

fn query(tenant: &Tenant, question: &str) -> KeywordQuery {
    let (tenant, terms) = (tenant.clone(), fts_terms(question));
    KeywordQuery { tenant, collections: vec![], documents: None, terms, limit: 10 }
}

async fn found(store: &dyn Store, tenant: &Tenant, question: &str) -> Vec<ChunkId> {
    hits(store, &query(tenant, question)).await.iter().map(|hit| hit.id).collect()
}

/// A document whose version answers.
async fn shelve(store: &dyn Store, tenant: &str, passages: &[(Option<&str>, &str)]) -> (Library, Vec<Chunk>) {
    let (library, first) = library(store, tenant, json!({})).await;
    let chunks: Vec<_> =
        (0..).zip(passages).map(|(at, (title, text))| chunk(first.id, at, *title, text)).collect();
    let insert = Change::InsertChunks { version: first.id, chunks: chunks.clone() };
    write(store, vec![insert, Change::FlipVersion(first.id)]).await;
    (library, chunks)
}

async fn words_of_live_versions_are_found(store: &dyn Store) {
    let (library, first) = library(store, "word-seeker", json!({})).await;
    let tenant = &library.tenant;
    let [han, code, both] = [
        chunk(first.id, 0, Some("维护"), "所有权是 Rust 的核心。"),
        chunk(first.id, 1, None, "The pump of the Cellar runs at 3000 rpm: snake_case, naïve"),
        chunk(first.id, 2, None, "泵的密封圈 and the pump"),
    ];
    // In two writes, of which one comes twice, as after a crash.
    let insert = |chunks: &[&Chunk]| Change::InsertChunks {
        version: first.id,
        chunks: chunks.iter().map(|chunk| (*chunk).clone()).collect(),
    };
    write(store, vec![insert(&[&han, &code])]).await;
    write(store, vec![insert(&[&both])]).await;
    write(store, vec![insert(&[&han, &code])]).await;
    assert!(found(store, tenant, "所有权").await.is_empty(), "a staged version was found");
    write(store, vec![Change::FlipVersion(first.id)]).await;
    for question in ["所有权", "权", "RUST", "核心", "维护", "维"] {
        assert_eq!(found(store, tenant, question).await, [han.id], "{question}");
    }
    for question in ["cellar", "3000", "Cellars", "naïve", "snake_case"] {
        assert_eq!(found(store, tenant, question).await, [code.id], "{question}");
    }
    for question in ["cell", "租户", "", "？"] {
        assert!(found(store, tenant, question).await.is_empty(), "{question}");
    }
    assert_eq!(
        found(store, tenant, "密封圈 pump").await,
        [both.id, code.id],
        "what has more words comes first"
    );
    assert!(found(store, &Tenant::from("word-stranger"), "所有权").await.is_empty());
    let one = KeywordQuery { limit: 1, ..query(tenant, "pump") };
    assert_eq!(hits(store, &one).await.len(), 1);
    let best = hits(store, &query(tenant, "pump")).await[0];
    assert!((best.score - 1.0).abs() < 1e-6 && best.keyword.is_some_and(|bm25| bm25 > 0.0), "{best:?}");

    let second = version(&library, "two");
    let newer = chunk(second.id, 0, None, "借用 instead");
    write(store, vec![Change::InsertVersion(Box::new(second.clone()))]).await;
    let insert = Change::InsertChunks { version: second.id, chunks: vec![newer.clone()] };
    write(store, vec![insert]).await;
    assert!(found(store, tenant, "借用").await.is_empty());
    write(store, vec![Change::FlipVersion(second.id), Change::RemoveVersion(first.id)]).await;
    assert!(found(store, tenant, "所有权").await.is_empty(), "the old version was found after the flip");
    assert_eq!(found(store, tenant, "借用").await, [newer.id]);
    write(store, vec![Change::HideDocument(tenant.clone(), library.document)]).await;
    assert!(found(store, tenant, "借用").await.is_empty(), "a deleted document was found");
}

async fn filters_narrow(store: &dyn Store) {
    let (here, of_here) = shelve(store, "word-filterer", &[(None, "same words 绿茶")]).await;
    let (there, of_other) = shelve(store, "word-filterer", &[(None, "same words 红茶")]).await;
    let tenant = &here.tenant;
    let all = || query(tenant, "same");
    assert_eq!(hits(store, &all()).await.len(), 2);
    for (narrow, wanted) in [
        (KeywordQuery { collections: vec![here.collection], ..all() }, vec![of_here[0].id]),
        (KeywordQuery { documents: Some(vec![there.document]), ..all() }, vec![of_other[0].id]),
        (KeywordQuery { collections: vec![CollectionId::new()], ..all() }, vec![]),
        (KeywordQuery { documents: Some(vec![DocumentId::new()]), ..all() }, vec![]),
        (KeywordQuery { documents: Some(vec![]), ..all() }, vec![]),
        (
            KeywordQuery {
                collections: vec![here.collection],
                documents: Some(vec![there.document]),
                ..all()
            },
            vec![],
        ),
    ] {
        let found: Vec<_> = hits(store, &narrow).await.iter().map(|hit| hit.id).collect();
        assert_eq!(found, wanted, "{narrow:?}");
    }
}

/// For a store that counts words: how many rows have a word, those of other tenants not among them.
pub async fn frequencies(store: &dyn Store) {
    let many = 2 * PASSAGES_PER_ROW;
    let (library, first) = library(store, "word-counter", json!({})).await;
    let text = |at| if at == 0 { "thread 线程 once" } else { "thread 线程" };
    let chunks: Vec<_> = (0..many).map(|at| chunk(first.id, at, Some("Chapter"), text(at))).collect();
    shelve(store, "word-stranger", &[(None, "thread other")]).await;
    let words = ["once", "thread", "线程", "chapter", "other", "thraed"].map(str::to_owned);
    let counts = async |words: &[String]| store.word_frequencies(&library.tenant, words).await.unwrap();
    assert_eq!(counts(&words[..1]).await, Some(vec![0]));
    write(store, vec![Change::InsertChunks { version: first.id, chunks }]).await;
    assert_eq!(counts(&words).await, Some(vec![1, 2, 2, 2, 0, 0]));
    assert_eq!(counts(&[]).await, Some(vec![]));
}

/// More passages than are read and ranked of all that have some word.
async fn rare_words_are_found_among_many(store: &dyn Store) {
    const MANY: u32 = PASSAGES_PER_ROW * 40;
    let (library, first) = library(store, "word-collector", json!({})).await;
    let text = |at: u32| format!("段落 number{at} 的说明, as every passage has it");
    for from in (0..MANY).step_by(640) {
        let chunks = (from..from + 640).map(|at| chunk(first.id, at, None, &text(at))).collect();
        write(store, vec![Change::InsertChunks { version: first.id, chunks }]).await;
    }
    write(store, vec![Change::FlipVersion(first.id)]).await;
    for at in [0, 77, MANY / 2, MANY - 1] {
        let found = found(store, &library.tenant, &format!("段落的说明 number{at}")).await;
        assert_eq!(found[0], ChunkId::of(first.id, at, "m"));
        assert_eq!(found.len(), 10);
    }
}
