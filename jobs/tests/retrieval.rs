//! What a search finds, and what it remembers.

use crate::fakes::Rig;
use chat_core::{
    CollectionId, DocumentId,
    ports::{Point, SearchMode},
    text::keyword_text,
};
use chat_jobs::{Degraded, Found, SearchRequest, search};
use serde_json::{Map, json};
use std::sync::atomic::Ordering;

fn request(rig: &Rig, query: &str) -> SearchRequest {
    SearchRequest {
        tenant: rig.tenant.clone(),
        query: query.into(),
        collections: Vec::new(),
        limit: 3,
        mode: SearchMode::Hybrid,
        filter: Map::new(),
    }
}

async fn found(rig: &Rig, request: &SearchRequest) -> Vec<Found> {
    search(&rig.ports(), request).await.unwrap().found
}

fn documents(found: &[Found]) -> Vec<DocumentId> {
    found.iter().map(|found| found.passage.document).collect()
}

#[tokio::test]
async fn the_best_comes_first_and_other_tenants_never() {
    let rig = Rig::new();
    let tea = rig.know("green tea leaves").await;
    rig.know("coffee beans").await;
    let mut other = request(&rig, "green tea");
    assert_eq!(found(&rig, &other).await[0].passage.document, tea);
    other.tenant = chat_core::Tenant::from("somebody-else");
    assert_eq!(found(&rig, &other).await, []);
}

#[tokio::test]
async fn a_slip_of_the_keyboard_finds_what_was_meant() {
    let rig = Rig::new();
    let spun = rig.know("a green thread 绿线").await;
    rig.know("roasted beans 咖啡").await;
    let keywords = |query| SearchRequest { mode: SearchMode::Keyword, ..request(&rig, query) };
    for (query, searches, found_it) in [
        ("thread", 1, true),
        ("thred", 2, true),
        ("thraed 咖", 2, true),
        ("thrd", 1, false),
        ("stream", 1, false),
        ("绿钱", 1, true),
    ] {
        let before = rig.index.searches.load(Ordering::Relaxed);
        let found = documents(&found(&rig, &keywords(query)).await);
        assert_eq!(found.contains(&spun), found_it, "{query}");
        assert_eq!(rig.index.searches.load(Ordering::Relaxed) - before, searches, "{query}");
    }
    rig.index.away.store(true, Ordering::SeqCst);
    assert_eq!(documents(&found(&rig, &keywords("threda")).await), [spun], "in the rows, too");
}

#[tokio::test]
async fn a_repeated_search_is_remembered_without_text() {
    let rig = Rig::new();
    rig.know("green tea leaves, a secret recipe").await;
    let first = found(&rig, &request(&rig, "green tea")).await;
    rig.until(|| !rig.cache.entries().is_empty()).await;
    assert_eq!(found(&rig, &request(&rig, "  green tea ")).await, first);
    assert_eq!(rig.index.searches.load(Ordering::Relaxed), 1);
    let entries = rig.cache.entries();
    assert!(
        entries.iter().all(|(key, value)| key.starts_with("search:") && !value.contains("secret")),
        "{entries:?}"
    );
    for change in [
        SearchRequest { limit: 2, ..request(&rig, "green tea") },
        SearchRequest { mode: SearchMode::Keyword, ..request(&rig, "green tea") },
        SearchRequest { collections: vec![CollectionId::new()], ..request(&rig, "green tea") },
    ] {
        let before = rig.index.searches.load(Ordering::Relaxed);
        found(&rig, &change).await;
        assert_eq!(rig.index.searches.load(Ordering::Relaxed), before + 1, "{change:?} is another search");
    }
}

#[tokio::test]
async fn a_deleted_document_is_gone_from_remembered_searches_at_once() {
    let rig = Rig::new();
    let document = rig.know("green tea leaves").await;
    assert_eq!(documents(&found(&rig, &request(&rig, "green tea")).await), [document]);
    rig.store.rows(|rows| rows.hide(document));
    assert_eq!(found(&rig, &request(&rig, "green tea")).await, []);
}

#[tokio::test]
async fn a_new_document_is_found_by_a_remembered_search() {
    let rig = Rig::new();
    let first = rig.know("green tea leaves").await;
    assert_eq!(documents(&found(&rig, &request(&rig, "green tea")).await), [first]);
    rig.know("green tea cups").await;
    assert_eq!(found(&rig, &request(&rig, "green tea")).await.len(), 2);
}

#[tokio::test]
async fn points_that_cannot_be_found_do_not_hide_those_that_can() {
    let rig = Rig::new();
    let document = rig.know("green tea and other things, not the best match").await;
    let dead = (0..500).map(|n| Point {
        id: chat_core::ChunkId::of(chat_core::VersionId::new(), n, "m"),
        version: chat_core::VersionId::new(),
        document: DocumentId::new(),
        collection: CollectionId::new(),
        keywords: keyword_text("green tea"),
        vector: vec![0.0; 16],
    });
    rig.index.add(&rig.tenant, "fake-embedder", dead.collect());
    let keyword = SearchRequest { mode: SearchMode::Keyword, ..request(&rig, "green tea zebra") };
    assert_eq!(documents(&found(&rig, &keyword).await), [document]);
}

#[tokio::test]
async fn metadata_narrows_a_search() {
    let rig = Rig::new();
    let (a, b) = (rig.know("green tea one").await, rig.know("green tea two").await);
    rig.store.rows(|rows| {
        rows.metadata.insert(a, json!({"lang": "en", "year": 2024}));
        rows.metadata.insert(b, json!({"lang": "zh", "year": 2024}));
    });
    let filter = |value: serde_json::Value| SearchRequest {
        filter: value.as_object().unwrap().clone(),
        ..request(&rig, "green tea")
    };
    assert_eq!(documents(&found(&rig, &filter(json!({"lang": "zh", "year": 2024}))).await), [b]);
    assert_eq!(found(&rig, &filter(json!({"lang": "zh"}))).await.len(), 1);
    assert_eq!(found(&rig, &filter(json!({"year": 2024}))).await.len(), 2);
    assert_eq!(found(&rig, &filter(json!({"lang": "de"}))).await, []);
}

#[tokio::test]
async fn without_vectors_hybrid_falls_back_and_vector_search_fails() {
    let rig = Rig::new();
    let document = rig.know("green tea leaves").await;
    rig.embedder.away.store(true, Ordering::SeqCst);
    let findings = search(&rig.ports(), &request(&rig, "tea")).await.unwrap();
    assert_eq!((findings.degraded, documents(&findings.found)), (Some(Degraded::Keyword), vec![document]));
    assert_eq!(rig.cache.entries(), [], "a makeshift is not remembered");
    let vector = SearchRequest { mode: SearchMode::Vector, ..request(&rig, "tea") };
    assert!(search(&rig.ports(), &vector).await.is_err());
}

#[tokio::test]
async fn without_the_index_words_in_the_rows_answer_and_it_is_said_until_it_is_back() {
    let rig = Rig::new();
    let (tea, coffee) = (rig.know("绿茶应该密封保存").await, rig.know("咖啡豆应该密封保存").await);
    let question = request(&rig, "绿茶怎样保存");
    rig.index.away.store(true, Ordering::SeqCst);
    for mode in [SearchMode::Hybrid, SearchMode::Keyword] {
        let findings = search(&rig.ports(), &SearchRequest { mode, ..question.clone() }).await.unwrap();
        assert_eq!(findings.degraded, Some(Degraded::Keyword), "{mode:?}");
        assert_eq!(documents(&findings.found), [tea, coffee], "{mode:?}");
    }
    let elsewhere = SearchRequest { collections: vec![CollectionId::new()], ..question.clone() };
    assert_eq!(found(&rig, &elsewhere).await, []);
    rig.store.rows(|rows| rows.hide(coffee));
    assert_eq!(documents(&found(&rig, &question).await), [tea]);
    assert_eq!(rig.cache.entries(), [], "a makeshift is not remembered");
    let vector = SearchRequest { mode: SearchMode::Vector, ..question.clone() };
    assert!(search(&rig.ports(), &vector).await.is_err(), "words are no vectors");
    rig.index.away.store(false, Ordering::SeqCst);
    let findings = search(&rig.ports(), &question).await.unwrap();
    assert_eq!((findings.degraded, documents(&findings.found)), (None, vec![tea]));
    rig.until(|| rig.cache.entries().len() == 1).await; // what is complete is remembered again
}

#[tokio::test]
async fn nothing_is_looked_for_without_a_question() {
    let rig = Rig::new();
    rig.know("green tea").await;
    assert_eq!(found(&rig, &request(&rig, "  ")).await, []);
    assert_eq!(found(&rig, &SearchRequest { limit: 0, ..request(&rig, "tea") }).await, []);
    let endless = "tea ".repeat(300_000);
    assert_eq!(found(&rig, &request(&rig, &endless)).await.len(), 1);
}
