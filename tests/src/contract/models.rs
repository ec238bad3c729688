//! Embedding models, of the `Store` port. It has a model recorded, so it comes after suites that know of none.

use super::rows::{library, version, write};
use chat_core::{Change, EmbeddingModels, ErrorKind, ModelState, VersionId, Write, ports::Store};
use serde_json::json;

const OLD: &str = "旧/model-1";
const NEW: &str = "新/model-2";

fn build(name: &str) -> Change {
    Change::BuildModel { name: name.into(), dimensions: (name == NEW).then_some(256) }
}

fn indexed(version: VersionId, models: &[&str]) -> Change {
    Change::VersionIndexed { version, models: models.iter().map(|name| (*name).to_owned()).collect() }
}

async fn refused(store: &dyn Store, changes: Vec<Change>) {
    let refusal = store.commit(Write::of(changes)).await.unwrap_err();
    assert_eq!(refusal.kind, ErrorKind::Conflict, "{refusal}");
}

async fn state(store: &dyn Store, name: &str) -> Option<ModelState> {
    let models = store.embedding_models().await.unwrap();
    models.0.iter().find(|model| model.name == name).map(|model| model.state)
}

async fn missing(store: &dyn Store, model: &str) -> Vec<VersionId> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = store.answering_versions(Some(model), after, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { return all };
        after = Some(*last);
        all.extend(page);
    }
}

/// Runs every promise.
pub async fn exercise(store: &dyn Store) {
    assert_eq!(store.embedding_models().await.unwrap(), EmbeddingModels::default());
    let before: Vec<_> = missing(store, OLD).await;
    write(store, vec![build(OLD)]).await;
    write(store, vec![build(OLD)]).await; // repeatable
    assert_eq!(state(store, OLD).await, Some(ModelState::Live), "the first is live at once");
    another_takes_over_when_all_that_answers_has_it(store, &before).await;
    one_that_was_given_up_can_come_back_when_it_is_gone(store).await;
}

async fn another_takes_over_when_all_that_answers_has_it(store: &dyn Store, before: &[VersionId]) {
    let (library, first) = library(store, "model-keeper", json!({})).await;
    let flip = |models: &[&str]| vec![indexed(first.id, models), Change::FlipVersion(first.id)];
    refused(store, flip(&[NEW])).await;
    assert_eq!(store.version(first.id).await.unwrap().live_version, None, "half was written");
    write(store, flip(&[OLD])).await;
    assert_eq!(missing(store, OLD).await, before, "what is indexed is not missing");
    let answering = store.answering_versions(None, before.last().copied(), 10).await.unwrap();
    assert_eq!(answering, [first.id], "whatever it is indexed under");

    write(store, vec![build(NEW)]).await;
    let models = store.embedding_models().await.unwrap();
    assert_eq!(models.live().unwrap().name, OLD);
    let next = models.building().unwrap();
    assert_eq!((next.name.as_str(), next.dimensions), (NEW, Some(256)));
    let mut all = before.to_vec();
    all.push(first.id);
    assert_eq!(missing(store, NEW).await, all, "in the order of their ids");
    for version in before {
        write(store, vec![indexed(*version, &[NEW])]).await;
    }
    assert_eq!(store.indexed_under(NEW).await.unwrap(), (before.len() as u64, all.len() as u64));
    write(store, vec![Change::SwitchModel(NEW.into())]).await;
    assert_eq!(state(store, NEW).await, Some(ModelState::Building), "one version has no vectors yet");

    let second = version(&library, "two");
    let replace = vec![
        Change::InsertVersion(Box::new(second.clone())),
        indexed(second.id, &[OLD, NEW]),
        Change::FlipVersion(second.id),
    ];
    write(store, replace).await;
    assert!(missing(store, NEW).await.is_empty(), "the version that lacked vectors does not answer any more");
    write(store, vec![Change::SwitchModel("never heard of".into())]).await;
    write(store, vec![Change::SwitchModel(NEW.into())]).await;
    write(store, vec![Change::SwitchModel(NEW.into())]).await; // repeatable
    assert_eq!(state(store, NEW).await, Some(ModelState::Live));
    assert_eq!(state(store, OLD).await, Some(ModelState::Dropping));
    assert_eq!(store.indexed_under(OLD).await.unwrap().0, 0, "vectors that are removed do not count");

    let third = version(&library, "three");
    write(store, vec![Change::InsertVersion(Box::new(third.clone()))]).await;
    refused(store, vec![indexed(third.id, &[OLD]), Change::FlipVersion(third.id)]).await;
    write(store, vec![Change::HideDocument(library.tenant.clone(), library.document)]).await;
    write(store, vec![Change::PurgeDocument(library.document)]).await;
    assert_eq!(store.indexed_under(NEW).await.unwrap().1, before.len() as u64);
}

async fn one_that_was_given_up_can_come_back_when_it_is_gone(store: &dyn Store) {
    refused(store, vec![build(OLD)]).await;
    write(store, vec![Change::ForgetModel(NEW.into())]).await;
    assert_eq!(state(store, NEW).await, Some(ModelState::Live), "only what is dropped is forgotten");
    write(store, vec![Change::ForgetModel(OLD.into())]).await;
    assert_eq!(state(store, OLD).await, None);
    write(store, vec![build(OLD)]).await;
    write(store, vec![build("third")]).await;
    assert_eq!(state(store, OLD).await, Some(ModelState::Dropping), "only one is built at a time");
    assert_eq!(state(store, "third").await, Some(ModelState::Building));
    write(store, vec![build(NEW)]).await;
    assert_eq!(state(store, "third").await, Some(ModelState::Dropping), "back to the live one");
    let models = store.embedding_models().await.unwrap();
    assert_eq!((models.live().unwrap().name.as_str(), models.building()), (NEW, None));
    for name in [OLD, "third"] {
        write(store, vec![Change::ForgetModel(name.into())]).await;
    }
}
