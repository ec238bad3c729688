//! Models that hang, never end, refuse, or answer nothing; stores that are away.

use crate::fakes::{Rig, Step, data, names, say, text_of};
use chat_core::{
    ErrorKind, JobId, ResponseId, ResponseStatus, Timestamp,
    ports::{Clock, FinishReason},
};
use chat_jobs::JobError;
use std::time::Duration;

/// Runs a job while time passes in steps.
async fn run_with_time(rig: &Rig, job: JobId, step: Duration) -> Result<(), JobError> {
    let cx = rig.claim(job);
    tokio::select! {
        ended = rig.run(&cx) => ended,
        () = async { for _ in 0..20_000 { rig.clock.advance(step).await; } } => panic!("it does not end"),
    }
}

fn asked() -> (Rig, ResponseId, JobId) {
    let rig = Rig::new();
    let (id, job) = rig.ask(rig.session(), "Will it end?");
    (rig, id, job)
}

#[tokio::test]
async fn a_model_that_says_nothing_times_out() {
    for silence in [vec![Step::Hang], vec![Step::Say("a"), Step::Hang]] {
        let (rig, _, job) = asked();
        rig.llm.script(silence);
        let error = run_with_time(&rig, job, Duration::from_secs(1)).await.unwrap_err();
        assert!(matches!(&error, JobError::Retry(cause) if cause.kind == ErrorKind::Timeout), "{error}");
    }
}

#[tokio::test]
async fn a_slow_model_is_waited_for() {
    let (rig, id, job) = asked();
    rig.llm.script(vec![
        Step::Wait(Duration::from_secs(50)),
        Step::Say("Slow"),
        Step::Wait(Duration::from_secs(25)),
        Step::Say("ly."),
        Step::Finish(FinishReason::Stop),
    ]);
    run_with_time(&rig, job, Duration::from_secs(1)).await.unwrap();
    let response = rig.response(id);
    assert_eq!(&*response.output_text, "Slowly.");
    let first = response.timings.first_token_ms.unwrap();
    assert!((50_000..52_000).contains(&first), "{first}");
    assert!((75_000..79_000).contains(&response.timings.total_ms.unwrap()));
}

#[tokio::test]
async fn a_turn_that_takes_too_long_keeps_what_was_said() {
    let (rig, id, job) = asked();
    let mut steps = Vec::new();
    for _ in 0..40 {
        steps.extend([Step::Say("tick "), Step::Wait(Duration::from_secs(20))]);
    }
    rig.llm.script(steps);
    run_with_time(&rig, job, Duration::from_secs(5)).await.unwrap();
    let response = rig.response(id);
    assert_eq!(response.status, ResponseStatus::Incomplete);
    assert_eq!(response.error.unwrap().code, "timeout");
    assert!(response.output_text.starts_with("tick tick ") && response.output_text.len() < 100);
    assert_eq!(text_of(&rig.log(id)), response.output_text);
}

#[tokio::test]
async fn a_model_that_never_ends_is_cut() {
    let mut rig = Rig::new();
    rig.options.max_output_tokens = 500;
    let (id, job) = rig.ask(rig.session(), "Will it end?");
    rig.llm.script(vec![Step::SayForEver("and on 又来 ")]);
    run_with_time(&rig, job, Duration::from_millis(1)).await.unwrap();
    let response = rig.response(id);
    assert_eq!(
        (response.status, &*response.error.unwrap().code),
        (ResponseStatus::Incomplete, "max_output_tokens")
    );
    let tokens = chat_core::text::count_tokens(&response.output_text);
    assert!((1_000..1_100).contains(&tokens), "{tokens}");
    assert_eq!(text_of(&rig.log(id)), response.output_text);
}

#[tokio::test]
async fn a_stream_that_ends_early_or_empty_is_a_failed_attempt() {
    for steps in [
        vec![],
        vec![Step::Say("cut")],
        vec![Step::Finish(FinishReason::Stop)],
        vec![Step::Say("  "), Step::Finish(FinishReason::Stop)],
    ] {
        let (rig, _, job) = asked();
        rig.llm.script(steps);
        let error = rig.run(&rig.claim(job)).await.unwrap_err();
        assert!(matches!(&error, JobError::Retry(cause) if cause.kind == ErrorKind::Protocol), "{error}");
    }
}

#[tokio::test]
async fn a_provider_that_asks_to_wait_is_obeyed_within_reason() {
    let refused = async |asked_for, age| {
        let (rig, _, job) = asked();
        rig.llm.script(vec![Step::SlowDown(Duration::from_secs(asked_for))]);
        let mut cx = rig.claim(job);
        cx.claim.created_at = Timestamp(rig.clock.now().0 - age);
        rig.run(&cx).await.unwrap_err()
    };
    let error = refused(7, 1_000).await;
    assert!(
        matches!(&error, JobError::Wait(wait, cause) if wait.as_secs() == 7 && !cause.unasked),
        "{error}"
    );
    // Past the time that a turn may take, it is a failed attempt; so it is if the provider asks for longer than that.
    for (asked_for, age, waited) in [(7, 299_000, 7), (3_600, 1_000, 60)] {
        let error = refused(asked_for, age).await;
        assert!(matches!(&error, JobError::RetryAfter(wait, _) if wait.as_secs() == waited), "{error}");
    }
}

/// Its readers are told nothing: nothing has begun.
#[tokio::test]
async fn a_turn_is_not_begun_while_the_provider_wants_a_pause() {
    let (rig, id, job) = asked();
    *rig.llm.pause.lock().unwrap() = Some(Duration::from_secs(7));
    let mut cx = rig.claim(job);
    cx.claim.created_at = rig.clock.now();
    let error = rig.run(&cx).await.unwrap_err();
    assert!(matches!(&error, JobError::Wait(wait, cause) if wait.as_secs() == 7 && cause.unasked), "{error}");
    assert_eq!(rig.log(id).len(), 1, "`response.queued`");

    let say = || vec![Step::Say("茶"), Step::Finish(FinishReason::Stop)];
    let (other, id, job) = asked();
    *other.llm.pause.lock().unwrap() = Some(Duration::from_secs(7));
    other.store.rows(|rows| rows.responses.get_mut(&id).unwrap().model = "another".into());
    other.llm.script(say());
    let mut cx = other.claim(job);
    cx.claim.created_at = other.clock.now();
    other.run(&cx).await.unwrap();
    assert_eq!(other.response(id).output_text, "茶", "another model has limits of its own");
}

#[tokio::test]
async fn what_the_provider_rejects_is_not_tried_again() {
    for kind in [ErrorKind::Unauthorized, ErrorKind::Invalid, ErrorKind::NotFound] {
        let (rig, _, job) = asked();
        rig.llm.script(vec![Step::Fail(kind)]);
        assert!(matches!(rig.run(&rig.claim(job)).await.unwrap_err(), JobError::Fail(_)));
    }
}

#[tokio::test]
async fn a_stream_goes_on_while_the_store_is_away() {
    let (rig, id, job) = asked();
    rig.llm.script(vec![
        Step::Say("one "),
        Step::Wait(Duration::from_secs(1)),
        Step::Say("two "),
        Step::Wait(Duration::from_secs(1)),
        Step::Say("three"),
        Step::Finish(FinishReason::Stop),
    ]);
    let cx = rig.claim(job);
    let away = async {
        rig.until(|| names(&rig.bus.seen(id)).contains(&"response.output_text.delta")).await;
        rig.store.rows(|rows| rows.refuse = vec![ErrorKind::Unavailable]);
        for _ in 0..60 {
            rig.clock.advance(Duration::from_millis(50)).await;
        }
    };
    let (ended, ()) = tokio::join!(rig.run(&cx), away);
    ended.unwrap();
    assert_eq!(rig.store.rows(|rows| rows.refuse.len()), 0, "the store was away in between");
    let log = rig.log(id);
    assert!(log.iter().zip(1..).all(|(event, number)| event.seq == number), "{:?}", names(&log));
    assert_eq!(text_of(&log), "one two three");
    assert_eq!(rig.bus.seen(id), log[1..]);
}

#[tokio::test]
async fn an_embedder_that_is_away_leaves_keyword_search() {
    let rig = Rig::new();
    rig.know("It will end, of course.").await;
    let (id, job) = rig.ask(rig.session(), "Will it end?");
    rig.embedder.away.store(true, std::sync::atomic::Ordering::SeqCst);
    rig.llm.script(say(&["Yes [1]."]));
    rig.run(&rig.claim(job)).await.unwrap();
    let log = rig.log(id);
    let searched =
        log.iter().find(|event| &*event.name == "response.file_search_call.completed").map(data).unwrap();
    assert_eq!(searched["results"].as_array().unwrap().len(), 1);
    assert_eq!(rig.response(id).references.len(), 1);
}
