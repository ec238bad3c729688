//! Every kind: that it is registered, that its payload's wire form stays, and the small ones' work.

use crate::fakes::Rig;
use chat_core::{JobState, Tenant, ports::Upkeep};
use chat_jobs::{EmbedTexts, JobKind, Noop, RunUpkeep, UpkeepTask, registry, schedules};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// Payloads as rows hold them. A row may wait for days while replicas are replaced: these must decode for ever.
const SAMPLES: [(&str, &str); 15] = [
    ("answer_turn.v1", r#"{"response":"resp_01890a5d-ac96-774b-bcce-b302099a8057"}"#),
    (
        "backfill_chunks.v1",
        r#"{"version":"ver_01890a5d-ac96-774b-bcce-b302099a8057","model":"m","from":0,"to":64}"#,
    ),
    ("build_vectors.v1", r#"{"model":"m","after":null,"check":[]}"#),
    ("delete_collection.v1", r#"{"collection":"col_01890a5d-ac96-774b-bcce-b302099a8057"}"#),
    ("delete_document.v1", r#"{"document":"doc_01890a5d-ac96-774b-bcce-b302099a8057"}"#),
    ("drop_vectors.v1", r#"{"model":"m"}"#),
    ("embed_chunks.v1", r#"{"version":"ver_01890a5d-ac96-774b-bcce-b302099a8057","from":0,"to":64}"#),
    ("embed_texts.v1", r#"{"blob":"embed/a"}"#),
    ("index_document.v1", r#"{"version":"ver_01890a5d-ac96-774b-bcce-b302099a8057"}"#),
    ("ingest_document.v1", r#"{"version":"ver_01890a5d-ac96-774b-bcce-b302099a8057"}"#),
    ("noop.v1", "{}"),
    ("reconcile.v1", "{}"),
    ("remove_blob.v1", r#"{"blob":"embed/a"}"#),
    ("remove_version.v1", r#"{"version":"ver_01890a5d-ac96-774b-bcce-b302099a8057"}"#),
    ("run_upkeep.v1", r#"{"task":"purge_streams"}"#),
];

#[tokio::test]
async fn every_kind_has_a_sample_that_still_runs() {
    let kinds: Vec<_> = SAMPLES.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(registry().kinds(), kinds);
    for (kind, payload) in SAMPLES {
        let rig = Rig::new();
        rig.blobs.insert("embed/a", "[]");
        let mut job = Noop {}.job(&rig.tenant);
        (job.kind, job.payload) = (kind.into(), payload.into());
        let cx = rig.claim_new(job);
        rig.run(&cx).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}

#[tokio::test]
async fn a_payload_of_another_form_is_not_tried_again() {
    let rig = Rig::new();
    let mut job = Noop {}.job(&rig.tenant);
    (job.kind, job.payload) = ("answer_turn.v1".into(), r#"{"response":5}"#.into());
    let error = rig.run(&rig.claim_new(job)).await.unwrap_err();
    assert!(matches!(error, chat_jobs::JobError::Fail(_)), "{error}");
}

#[tokio::test]
async fn texts_get_their_vectors_and_go() {
    let rig = Rig::new();
    let texts: Vec<String> = (0..25).map(|n| format!("text {n}")).collect();
    rig.blobs.insert("embed/a", serde_json::to_vec(&texts).unwrap());
    let cx = rig.claim_new(EmbedTexts { blob: "embed/a".into(), model: None, key: None }.job(&rig.tenant));
    rig.run(&cx).await.unwrap();
    assert_eq!(rig.blobs.keys(), ["embed/a"], "the texts stay until the result is durable");
    let result = rig.store.rows(|rows| rows.jobs[&cx.claim.job].1.result.clone()).unwrap();
    assert_eq!((&result["object"], &result["model"]), (&json!("list"), &json!("fake-embedder")));
    assert_eq!(result["usage"]["total_tokens"], 75, "counted, as the provider did not");
    let data = result["data"].as_array().unwrap();
    assert_eq!((data.len(), &data[24]["index"], &data[24]["object"]), (25, &json!(24), &json!("embedding")));
    let length: f64 =
        data[0]["embedding"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap().powi(2)).sum();
    assert!((length - 1.0).abs() < 1e-5);
    rig.drain().await;
    assert_eq!(rig.blobs.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn another_embedding_model_is_refused_and_the_texts_go() {
    let rig = Rig::new();
    rig.blobs.insert("embed/a", "[\"x\"]");
    let job = EmbedTexts { blob: "embed/a".into(), model: Some("other".into()), key: None };
    let cx = rig.claim_new(job.job(&rig.tenant));
    let error = rig.run(&cx).await.unwrap_err();
    assert!(matches!(error, chat_jobs::JobError::Fail(_)));
    rig.end(&cx, chat_jobs::Ending::Cancelled).await;
    rig.drain().await;
    assert_eq!(rig.blobs.keys(), Vec::<String>::new());
    assert_eq!(rig.embedder.texts.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn upkeep_goes_on_until_nothing_is_left() {
    let rig = Rig::new();
    rig.store.rows(|rows| rows.upkeep_left = 250);
    let cx = rig.claim_new(RunUpkeep { task: UpkeepTask::PurgeStreams }.job(&rig.tenant));
    rig.run(&cx).await.unwrap();
    rig.store.rows(|rows| {
        let job = &rows.jobs[&cx.claim.job].1;
        assert_eq!(job.state, JobState::Succeeded);
        assert_eq!(job.result, Some(json!({"task": "purge_streams", "rows": 250})));
        assert_eq!(job.progress, Some(json!({"rows": 250})));
    });
}

#[test]
fn every_clean_up_has_a_name_and_a_schedule() {
    for task in UpkeepTask::ALL {
        assert_eq!(json!(task), task.as_str());
        let schedule = schedules().into_iter().find(|schedule| schedule.name == task.as_str()).unwrap();
        let payload = (schedule.job)(&Tenant::default()).payload;
        assert_eq!(serde_json::from_str::<Value>(&payload).unwrap(), json!({ "task": task }));
    }
    assert!(
        matches!(UpkeepTask::PurgeStreams.upkeep(), Upkeep::PurgeStreams(age) if age.as_secs() == 7 * 24 * 3600)
    );
    assert!(schedules().iter().all(|schedule| schedule.cron.split(' ').count() == 6));
}
