//! What models took: noted once with the end of the job that took it.

use crate::fakes::{Rig, Step, settle};
use chat_core::{ErrorKind, JobId, KeyId, UsageEntry, ports::FinishReason};
use chat_jobs::{AnswerTurn, EmbedTexts, JobKind, Options};

fn entry(rig: &Rig, job: JobId) -> Option<UsageEntry> {
    rig.store.rows(|rows| rows.usage.get(&job).cloned())
}

/// A question that somebody with a key asks: the job is as the interface enqueues it.
fn ask_with(rig: &Rig, key: KeyId) -> chat_jobs::JobContext {
    let session = rig.session();
    let (response, job) = rig.ask(session, "什么有所有者？");
    let payload = serde_json::to_string(&AnswerTurn { response, key: Some(key) }).unwrap();
    let mut cx = rig.claim(job);
    cx.claim.payload = payload;
    cx
}

#[tokio::test]
async fn a_turn_notes_what_it_took_for_whom() {
    let rig = Rig { options: Options { output_price: Some(10.0), ..Options::default() }, ..Rig::new() };
    let key = KeyId::new();
    let cx = ask_with(&rig, key);
    rig.llm.script(vec![Step::Say("好"), Step::Count(70, 5), Step::Finish(FinishReason::Stop)]);
    rig.run(&cx).await.unwrap();
    let noted = entry(&rig, cx.claim.job).expect("nothing is noted");
    assert_eq!((noted.tenant, noted.key, noted.model.as_str()), (rig.tenant.clone(), Some(key), "fake"));
    assert_eq!((noted.usage.input_tokens, noted.usage.output_tokens, noted.usage.total_tokens), (70, 5, 75));
    assert!((noted.usage.cost_usd.unwrap() - 0.000_05).abs() < 1e-12, "{:?}", noted.usage);
    assert!(noted.session.is_some());
}

#[tokio::test]
async fn a_stopped_turn_took_something_too_and_a_failed_attempt_is_not_known() {
    let rig = Rig::new();
    let (_, job) = rig.ask(rig.session(), "停");
    rig.llm.script(vec![Step::Say("我还没"), Step::Hang]);
    let cx = rig.claim(job);
    let stopping = async {
        rig.until(|| !rig.llm.asked().is_empty()).await;
        settle().await;
        cx.cancel.cancel();
    };
    let (ran, ()) = tokio::join!(rig.run(&cx), stopping);
    ran.unwrap();
    assert!(entry(&rig, job).expect("nothing is noted").usage.output_tokens > 0);

    let (_, job) = rig.ask(rig.session(), "错");
    rig.llm.script(vec![Step::Say("半"), Step::Fail(ErrorKind::Unavailable)]);
    rig.run(&rig.claim(job)).await.unwrap_err();
    assert_eq!(entry(&rig, job), None);
}

#[tokio::test]
async fn embedded_texts_are_noted_with_their_price() {
    let rig = Rig { options: Options { embedding_price: Some(2.0), ..Options::default() }, ..Rig::new() };
    rig.blobs.insert("embed/a", serde_json::to_vec(&["一段文字", "another text"]).unwrap());
    let key = KeyId::new();
    let job = EmbedTexts { blob: "embed/a".into(), model: None, key: Some(key) }.job(&rig.tenant);
    let cx = rig.claim_new(job);
    rig.run(&cx).await.unwrap();
    let noted = entry(&rig, cx.claim.job).expect("nothing is noted");
    assert_eq!((noted.key, noted.session, noted.model.as_str()), (Some(key), None, "fake-embedder"));
    let tokens = noted.usage.total_tokens;
    assert!(tokens > 0 && noted.usage.output_tokens == 0);
    assert!((noted.usage.cost_usd.unwrap() - tokens as f64 * 2e-6).abs() < 1e-12);
}

#[test]
fn jobs_of_callers_without_a_key_look_as_they_always_did() {
    let response = chat_core::ResponseId::new();
    let payload = serde_json::to_string(&AnswerTurn { response, key: None }).unwrap();
    assert_eq!(payload, format!("{{\"response\":\"{response}\"}}"));
}
