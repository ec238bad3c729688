//! A turn that is begun more than once: what its readers see.

use crate::fakes::{Rig, Step, data, names, say, text_of};
use chat_core::{ErrorKind, Failure, JobId, PortError, ResponseId, ResponseStatus};
use chat_jobs::{Ending, JUMP, JobContext, JobError};
use std::time::Duration;

/// Runs until the run waits for something, then drops it, as if its worker were lost.
async fn lose(rig: &Rig, cx: &JobContext) {
    lose_after(200, rig, cx).await;
}

/// The same after so many steps of the scheduler.
async fn lose_after(steps: usize, rig: &Rig, cx: &JobContext) {
    tokio::select! {
        biased;
        ended = rig.run(cx) => panic!("it ended: {ended:?}"),
        () = async {
            for _ in 0..steps { tokio::task::yield_now().await; }
        } => {}
    }
}

fn assert_whole(rig: &Rig, id: ResponseId) {
    let log = rig.log(id);
    assert!(log.iter().zip(1..).all(|(event, number)| event.seq == number), "a gap: {:?}", names(&log));
    assert_eq!(log.iter().filter(|event| event.is_terminal()).count(), 1);
    assert!(log.last().unwrap().is_terminal());
}

fn begun() -> (Rig, ResponseId, JobId) {
    let rig = Rig::new();
    let (id, job) = rig.ask(rig.session(), "Once more?");
    (rig, id, job)
}

#[tokio::test]
async fn a_provider_that_fails_in_the_middle_is_asked_again() {
    let (rig, id, job) = begun();
    rig.llm.script(vec![Step::Say("Half an ans"), Step::Fail(ErrorKind::Unavailable)]);
    let cx = rig.claim(job);
    let error = rig.run(&cx).await.unwrap_err();
    assert!(matches!(&error, JobError::Retry(cause) if cause.kind == ErrorKind::Unavailable));
    rig.retry(&cx, error.cause());

    rig.llm.script(say(&["A whole answer."]));
    rig.run(&rig.claim(job)).await.unwrap();
    assert_whole(&rig, id);
    let log = rig.log(id);
    let restarted = log.iter().find(|event| &*event.name == "response.restarted").map(data).unwrap();
    assert_eq!(
        (restarted["attempt"].as_u64(), restarted["reason"].as_str()),
        (Some(2), Some("provider_unavailable"))
    );
    assert_eq!(text_of(&log), "A whole answer.");
    assert_eq!(rig.response(id).output_text, "A whole answer.");
    assert_eq!(rig.response(id).attempt, 2);
    assert_eq!(rig.bus.seen(id), log[1..]);
}

#[tokio::test]
async fn what_a_lost_worker_published_is_not_lost() {
    let (rig, id, job) = begun();
    rig.llm.script(vec![Step::Say("Seen by readers"), Step::Hang]);
    lose(&rig, &rig.claim(job)).await;
    let seen = rig.bus.seen(id);
    assert_eq!(text_of(&seen), "Seen by readers");
    assert!(rig.log(id).len() < 1 + seen.len(), "the last events were not stored yet");

    rig.llm.script(say(&["Again."]));
    rig.run(&rig.claim(job)).await.unwrap();
    assert_whole(&rig, id);
    let log = rig.log(id);
    assert!(seen.iter().all(|event| log.contains(event)), "what readers saw is in the log");
    let restarted = log.iter().find(|event| &*event.name == "response.restarted").map(data).unwrap();
    assert_eq!(restarted["reason"], "worker_lost");
}

#[tokio::test]
async fn numbers_jump_when_worker_and_bus_are_lost_together() {
    let (rig, id, job) = begun();
    rig.llm.script(vec![Step::Say("Seen by readers"), Step::Hang]);
    lose(&rig, &rig.claim(job)).await;
    let (stored, seen) = (rig.log(id).last().unwrap().seq, rig.bus.seen(id).last().unwrap().seq);
    rig.bus.forget();

    rig.llm.script(say(&["Again."]));
    rig.run(&rig.claim(job)).await.unwrap();
    let log = rig.log(id);
    let at = log.iter().position(|event| event.seq > stored).unwrap();
    assert_eq!((&*log[at].name, log[at].seq), ("response.restarted", stored + JUMP + 1));
    assert!(log[at].seq > seen);
    assert!(log[at..].iter().zip(log[at].seq..).all(|(event, number)| event.seq == number), "it jumps once");
    assert_eq!(text_of(&log), "Again.");
}

#[tokio::test]
async fn a_turn_that_was_never_begun_does_not_jump_or_restart() {
    let (rig, id, job) = begun();
    rig.bus.forget();
    rig.llm.script(say(&["Fresh."]));
    rig.run(&rig.claim(job)).await.unwrap();
    assert_whole(&rig, id);
    assert!(!names(&rig.log(id)).contains(&"response.restarted"));
}

#[tokio::test]
async fn nothing_is_published_before_the_claims_first_event_is_stored() {
    let (rig, id, job) = begun();
    rig.store.rows(|rows| rows.refuse = vec![ErrorKind::Unavailable; 3]);
    rig.llm.script(vec![Step::Say("Wait"), Step::Hang]);
    let cx = rig.claim(job);
    lose(&rig, &cx).await;
    assert_eq!(rig.bus.seen(id), []);
    assert_eq!(rig.log(id).len(), 1);
}

#[tokio::test]
async fn a_run_that_was_handed_back_restarts_in_the_same_attempt() {
    let (rig, id, job) = begun();
    rig.llm.script(vec![Step::Say("Cut"), Step::Hang]);
    let cx = rig.claim(job);
    lose(&rig, &cx).await;
    let write = chat_core::Write::finish(cx.claim.held(), chat_core::Outcome::HandedBack, Vec::new());
    rig.store.write(write).unwrap();
    rig.llm.script(say(&["Whole."]));
    let cx = rig.claim(job);
    assert_eq!(cx.claim.attempt, 1);
    rig.run(&cx).await.unwrap();
    assert_whole(&rig, id);
    assert_eq!(text_of(&rig.log(id)), "Whole.");
}

#[tokio::test]
async fn a_claim_that_was_lost_writes_nothing_more() {
    let (rig, id, job) = begun();
    rig.llm.script(vec![Step::Say("Old"), Step::Wait(Duration::from_secs(5)), Step::Say("!"), Step::Hang]);
    let old = rig.claim(job);
    let run = rig.run(&old);
    tokio::pin!(run);
    assert!(futures::poll!(&mut run).is_pending());
    for _ in 0..50 {
        tokio::task::yield_now().await;
        assert!(futures::poll!(&mut run).is_pending());
    }
    let new = rig.claim(job);
    rig.llm.script(say(&["New."]));
    rig.run(&new).await.unwrap();
    let after = (rig.log(id), rig.bus.seen(id));
    rig.clock.advance(Duration::from_secs(5)).await;
    let error = run.await.unwrap_err();
    assert_eq!(error.cause().kind, ErrorKind::Stale);
    assert_eq!((rig.log(id), rig.bus.seen(id)), after);
    assert_whole(&rig, id);
}

#[tokio::test]
async fn a_turn_that_died_says_so_without_inner_details() {
    let (rig, id, job) = begun();
    rig.llm.script(vec![
        Step::Say("Half"),
        Step::Wait(Duration::from_millis(20)),
        Step::Fail(ErrorKind::Unauthorized),
    ]);
    let cx = rig.claim(job);
    let run = rig.run(&cx);
    tokio::pin!(run);
    for _ in 0..50 {
        assert!(futures::poll!(&mut run).is_pending());
        tokio::task::yield_now().await;
    }
    rig.clock.advance(Duration::from_millis(20)).await;
    let error = run.await.unwrap_err();
    assert!(matches!(error, JobError::Fail(_)), "401 is not tried again");
    let PortError { kind, message, .. } = error.cause();
    rig.end(&cx, Ending::Dead(Failure { code: kind.as_str().into(), message: message.clone() })).await;
    assert_whole(&rig, id);
    let log = rig.log(id);
    let last = data(log.last().unwrap());
    assert_eq!(last["type"], "response.failed");
    assert_eq!(last["response"]["error"]["code"], "provider_unauthorized");
    assert!(!log.last().unwrap().data.contains("sk-123"));
    assert_eq!(rig.response(id).status, ResponseStatus::Failed);
    let deltas = log.iter().filter(|event| &*event.name == "response.output_text.delta");
    let heard: String = deltas.map(|event| data(event)["delta"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        (heard.as_str(), rig.response(id).output_text.as_str()),
        ("Half", "Half"),
        "readers keep what they have"
    );
    assert_eq!(last["response"]["output_text"], "Half");
    assert_eq!(rig.store.rows(|rows| rows.messages.len()), 1, "no message of an answer that failed");
}

#[tokio::test]
async fn a_turn_that_died_after_everything_was_lost_jumps_at_a_restart() {
    let (rig, id, job) = begun();
    rig.llm.script(vec![Step::Say("Half"), Step::Hang]);
    lose(&rig, &rig.claim(job)).await;
    rig.bus.forget();
    let cx = rig.claim(job);
    rig.end(&cx, Ending::Dead(Failure { code: "internal".into(), message: "x".into() })).await;
    let log = rig.log(id);
    assert_eq!(names(&log)[log.len() - 2..], ["response.restarted", "response.failed"]);
    assert!(log[log.len() - 2].seq > JUMP);
}

/// The API has published what it wrote.
async fn begun_on_a_slow_store() -> (Rig, ResponseId, JobId) {
    let (rig, id, job) = begun();
    rig.ports().bus.publish(id.into(), None, &rig.log(id)).await;
    rig.store.rows(|rows| rows.slow = 20);
    (rig, id, job)
}

#[tokio::test]
async fn an_attempt_that_fails_while_its_first_events_are_stored_leaves_no_gap() {
    let (rig, id, job) = begun_on_a_slow_store().await;
    rig.llm.script(vec![Step::Fail(ErrorKind::Unavailable)]);
    let cx = rig.claim(job);
    let error = rig.run(&cx).await.unwrap_err();
    assert_eq!(rig.bus.seen(id)[..], rig.log(id)[..2], "what is stored is published");
    rig.retry(&cx, error.cause());
    rig.llm.script(say(&["Whole."]));
    rig.run(&rig.claim(job)).await.unwrap();
    assert_whole(&rig, id);
    assert_eq!(rig.bus.seen(id), rig.log(id), "who follows sees what the log has");
}

#[tokio::test]
async fn a_turn_that_dies_while_its_first_events_are_stored_ends_once() {
    let (rig, id, job) = begun_on_a_slow_store().await;
    rig.llm.script(vec![Step::Hang]);
    let cx = rig.claim(job);
    lose_after(10, &rig, &cx).await;
    assert_eq!(rig.log(id).len(), 1, "its first write goes on");
    rig.end(&cx, Ending::Dead(Failure { code: "internal".into(), message: "x".into() })).await;
    assert_whole(&rig, id);
    assert_eq!(names(&rig.log(id)), ["response.queued", "response.in_progress", "response.failed"]);
    assert_eq!(rig.bus.seen(id), rig.log(id));
}

#[tokio::test]
async fn what_a_lost_worker_stored_and_did_not_publish_is_published_by_the_next() {
    let (rig, id, job) = begun_on_a_slow_store().await;
    rig.llm.script(vec![Step::Hang]);
    let lost = rig.claim(job);
    lose_after(10, &rig, &lost).await;
    lost.settled().await;
    assert_eq!((rig.log(id).len(), rig.bus.seen(id).len()), (2, 1));
    rig.llm.script(say(&["Whole."]));
    rig.run(&rig.claim(job)).await.unwrap();
    assert_whole(&rig, id);
    assert_eq!(rig.bus.seen(id), rig.log(id));
}
