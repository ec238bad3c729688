//! One embedding model takes the place of another.

use crate::fakes::{FakeEmbedder, Rig};
use chat_core::{
    Change, CollectionId, DocumentId, EmbeddingModels, JobState, ModelState, Write, ports::SearchMode,
};
use chat_jobs::{
    BuildVectors, Degraded, DropVectors, Findings, JobKind, SearchRequest, choose_model, search,
};
use serde_json::Map;
use std::sync::{Arc, atomic::Ordering};

const OLD: &str = "fake-embedder";
const NEW: &str = "next-embedder";

/// A rig whose settings name another model now.
fn configured(rig: Rig, before: Option<Arc<FakeEmbedder>>) -> Rig {
    let embedder = FakeEmbedder { name: Some(NEW), before, ..FakeEmbedder::default() };
    Rig { embedder: Arc::new(embedder), ..rig }
}

fn state(rig: &Rig, name: &str) -> Option<ModelState> {
    rig.store.rows(|rows| rows.models.0.iter().find(|model| model.name == name).map(|model| model.state))
}

async fn asked(rig: &Rig, question: &str, mode: SearchMode) -> Findings {
    let request = SearchRequest {
        tenant: rig.tenant.clone(),
        query: question.into(),
        collections: Vec::new(),
        limit: 3,
        mode,
        filter: Map::new(),
    };
    search(&rig.ports(), &request).await.unwrap()
}

fn documents(findings: &Findings) -> Vec<DocumentId> {
    findings.found.iter().map(|found| found.passage.document).collect()
}

/// Runs the jobs that are there, one by one, and lets `between` look at the rig before each.
async fn step(rig: &Rig, mut between: impl AsyncFnMut(&Rig)) {
    while let Some(id) = rig
        .store
        .rows(|rows| rows.jobs.values().find(|row| row.1.state == JobState::Available).map(|row| row.1.id))
    {
        between(rig).await;
        let cx = rig.claim(id);
        rig.run(&cx).await.unwrap();
    }
}

#[tokio::test]
async fn the_first_model_is_live_at_once() {
    let rig = Rig::new();
    let chosen = choose_model(&rig.ports()).await.unwrap();
    assert_eq!((chosen.live.as_str(), chosen.building, chosen.dropping.len()), (OLD, None, 0));
    assert_eq!(state(&rig, OLD), Some(ModelState::Live));
    rig.know("绿茶").await;
    assert_eq!(choose_model(&rig.ports()).await.unwrap().live, OLD);
    assert!(rig.store.rows(|rows| rows.jobs.values().all(|row| row.1.kind != BuildVectors::KIND)));
}

#[tokio::test]
async fn questions_are_answered_throughout_and_only_the_new_vectors_are_left() {
    let rig = Rig::new();
    choose_model(&rig.ports()).await.unwrap();
    let mut known = Vec::new();
    for number in 0..7 {
        known.push(rig.know(&format!("第{number}号泵 runs in hall {number}")).await);
    }
    let old = rig.embedder.clone();
    let rig = configured(rig, Some(old));
    let chosen = choose_model(&rig.ports()).await.unwrap();
    let again = choose_model(&rig.ports()).await.unwrap();
    assert_eq!(chosen, again, "repeating it begins nothing anew");
    assert_eq!((chosen.live.as_str(), chosen.building.unwrap().0.as_str()), (OLD, NEW));
    assert_eq!(state(&rig, OLD), Some(ModelState::Live));
    let during = DocumentId::new();
    rig.upload(during, CollectionId::new(), "润滑油 arrives meanwhile");
    step(&rig, async |rig| {
        for mode in [SearchMode::Hybrid, SearchMode::Vector] {
            let findings = asked(rig, "第3号泵", mode).await;
            assert_eq!((findings.degraded, documents(&findings)[0]), (None, known[3]), "{mode:?}");
        }
    })
    .await;
    assert_eq!(documents(&asked(&rig, "润滑油", SearchMode::Hybrid).await)[0], during);
    assert_eq!((state(&rig, NEW), state(&rig, OLD)), (Some(ModelState::Live), None));
    assert_eq!((rig.index.of_model(OLD), rig.index.of_model(NEW)), (0, 8));
    let dropped = rig.store.rows(|rows| {
        let job = rows.jobs.values().find(|row| row.1.kind == DropVectors::KIND).unwrap();
        job.1.result.clone().unwrap()
    });
    assert!(dropped["model"] == OLD && dropped["points"].as_u64() >= Some(7), "{dropped}");
}

#[tokio::test]
async fn a_build_that_stops_anywhere_goes_on() {
    for stop in 1..6 {
        let rig = Rig::new();
        choose_model(&rig.ports()).await.unwrap();
        for number in 0..3 {
            rig.know(&format!("绿茶 {number}")).await;
        }
        let old = rig.embedder.clone();
        let rig = configured(rig, Some(old));
        choose_model(&rig.ports()).await.unwrap();
        // Killed: what a run wrote stays, its end is not written, and it runs again.
        let mut commits = 0;
        while let Some(id) = rig.store.rows(|rows| {
            rows.jobs.values().find(|row| row.1.state == JobState::Available).map(|row| row.1.id)
        }) {
            let cx = rig.claim(id);
            commits += 1;
            if commits == stop {
                let handler = chat_jobs::registry();
                handler.get(&cx.claim.kind).unwrap().run(&cx).await.unwrap();
                choose_model(&rig.ports()).await.unwrap();
                let cx = rig.claim(id);
                rig.run(&cx).await.unwrap();
                continue;
            }
            rig.run(&cx).await.unwrap();
        }
        assert_eq!((state(&rig, NEW), state(&rig, OLD)), (Some(ModelState::Live), None), "stopped at {stop}");
        assert_eq!((rig.index.of_model(OLD), rig.index.of_model(NEW)), (0, 3), "stopped at {stop}");
    }
}

#[tokio::test]
async fn nothing_switches_while_a_version_lacks_vectors() {
    let rig = Rig::new();
    choose_model(&rig.ports()).await.unwrap();
    rig.know("绿茶").await;
    let old = rig.embedder.clone();
    let rig = configured(rig, Some(old));
    choose_model(&rig.ports()).await.unwrap();
    rig.index.lose.store(1, Ordering::Relaxed); // the index answers well, and forgets
    let mut looked = false;
    step(&rig, async |rig| {
        looked |= rig.store.rows(|rows| {
            rows.jobs.values().filter(|row| row.1.kind == BuildVectors::KIND).count() > 2
                && rows.models.live().is_some_and(|model| model.name == OLD)
        });
    })
    .await;
    assert!(looked, "it took over without counting");
    assert_eq!((state(&rig, NEW), rig.index.of_model(NEW)), (Some(ModelState::Live), 1));
}

#[tokio::test]
async fn if_the_old_model_cannot_be_called_words_answer_and_it_is_said() {
    let rig = Rig::new();
    choose_model(&rig.ports()).await.unwrap();
    let tea = rig.know("绿茶应该密封保存").await;
    let rig = configured(rig, None);
    choose_model(&rig.ports()).await.unwrap();
    let findings = asked(&rig, "绿茶", SearchMode::Hybrid).await;
    assert_eq!((findings.degraded, documents(&findings)), (Some(Degraded::Keyword), vec![tea]));
    // What comes in meanwhile has no old vectors, and is found all the same.
    let coffee = rig.know("咖啡豆").await;
    let late = rig.store.rows(|rows| rows.models.live().is_some_and(|model| model.name == NEW));
    assert!(late, "the drain has done all of it");
    assert_eq!(documents(&asked(&rig, "咖啡豆", SearchMode::Hybrid).await)[0], coffee);
    assert_eq!(asked(&rig, "绿茶", SearchMode::Hybrid).await.degraded, None);
}

#[tokio::test]
async fn a_build_that_is_given_up_leaves_nothing_behind() {
    let rig = Rig::new();
    choose_model(&rig.ports()).await.unwrap();
    rig.know("绿茶").await;
    let old = rig.embedder.clone();
    let rig = configured(rig, Some(old.clone()));
    choose_model(&rig.ports()).await.unwrap();
    let build =
        rig.store.rows(|rows| rows.jobs.values().find(|row| row.1.kind == BuildVectors::KIND).unwrap().1.id);
    let cx = rig.claim(build);
    rig.run(&cx).await.unwrap();
    let rig = Rig { embedder: old, ..rig };
    let chosen = choose_model(&rig.ports()).await.unwrap();
    assert_eq!((chosen.live.as_str(), chosen.building, chosen.dropping[0].0.as_str()), (OLD, None, NEW));
    step(&rig, async |_| {}).await;
    assert_eq!((state(&rig, OLD), state(&rig, NEW)), (Some(ModelState::Live), None));
    assert_eq!((rig.index.of_model(OLD), rig.index.of_model(NEW)), (1, 0));
    assert_ne!(rig.store.rows(|rows| rows.models.clone()), EmbeddingModels::default());
    rig.store.write(Write::of(vec![Change::ForgetModel(NEW.into())])).unwrap();
}
