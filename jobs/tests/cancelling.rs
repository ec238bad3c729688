//! A turn that is stopped by its caller.

use crate::fakes::{Rig, Step, data, names, text_of};
use chat_core::{JobState, ResponseStatus, Role};
use chat_jobs::{Ending, farewell};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn what_was_said_is_kept_and_the_provider_is_left_at_once() {
    let rig = Rig::new();
    let (id, job) = rig.ask(rig.session(), "Stop?");
    rig.llm.script(vec![Step::Say("Well, "), Step::Say("let me"), Step::Hang]);
    let cx = rig.claim(job);
    let cancel = cx.cancel.clone();
    let stop = async {
        rig.until(|| names(&rig.bus.seen(id)).contains(&"response.output_text.delta")).await;
        cancel.cancel();
    };
    let (ended, ()) = tokio::join!(rig.run(&cx), stop);
    ended.unwrap();
    assert_eq!(rig.llm.closed.load(Ordering::SeqCst), 1);
    let response = rig.response(id);
    assert_eq!((response.status, &*response.output_text), (ResponseStatus::Cancelled, "Well, let me"));
    let log = rig.log(id);
    assert_eq!(text_of(&log), "Well, let me");
    assert_eq!(names(&log).last(), Some(&"response.cancelled"));
    assert!(log.iter().zip(1..).all(|(event, number)| event.seq == number));
    rig.store.rows(|rows| {
        assert_eq!(rows.jobs[&job].1.state, JobState::Cancelled);
        assert_eq!((rows.messages[1].role, &*rows.messages[1].content), (Role::Assistant, "Well, let me"));
    });
}

#[tokio::test]
async fn a_turn_stopped_before_it_spoke_leaves_no_message() {
    let rig = Rig::new();
    let (id, job) = rig.ask(rig.session(), "Stop?");
    let cx = rig.claim(job);
    cx.cancel.cancel();
    rig.run(&cx).await.unwrap();
    assert_eq!(rig.response(id).status, ResponseStatus::Cancelled);
    assert_eq!(rig.store.rows(|rows| rows.messages.len()), 1);
    assert!(!names(&rig.log(id)).contains(&"response.output_text.done"));
}

#[tokio::test]
async fn a_turn_stopped_before_it_began_says_so() {
    let rig = Rig::new();
    let (id, job) = rig.ask(rig.session(), "Stop?");
    rig.end(&rig.claim(job), Ending::Cancelled).await;
    assert_eq!(names(&rig.log(id)), ["response.queued", "response.cancelled"]);
    assert_eq!(data(&rig.log(id)[1])["response"]["status"], "cancelled");
    assert_eq!(rig.response(id).status, ResponseStatus::Cancelled);
}

#[tokio::test]
async fn what_a_lost_worker_said_is_kept_when_the_turn_is_stopped() {
    let rig = Rig::new();
    let (id, job) = rig.ask(rig.session(), "Stop?");
    rig.llm.script(vec![Step::Say("Some words"), Step::Hang]);
    let cx = rig.claim(job);
    tokio::select! {
        biased;
        _ = rig.run(&cx) => panic!("it ended"),
        () = async { for _ in 0..200 { tokio::task::yield_now().await; } } => {}
    }
    rig.end(&rig.claim(job), Ending::Cancelled).await;
    assert_eq!(rig.response(id).output_text, "Some words");
    assert_eq!(text_of(&rig.log(id)), "Some words");
}

/// The conversation is deleted while a run speaks that is lost before it hears of it.
#[tokio::test]
async fn who_follows_a_deleted_turn_of_a_lost_worker_hears_its_end() {
    for ended in [true, false] {
        let rig = Rig::new();
        let (id, job) = rig.ask(rig.session(), "Stop?");
        rig.llm.script(vec![Step::Say("Some words"), Step::Hang]);
        let cx = rig.claim(job);
        tokio::select! {
            biased;
            _ = rig.run(&cx) => panic!("it ended"),
            () = rig.until(|| names(&rig.bus.seen(id)).contains(&"response.output_text.delta")) => {}
        }
        let (said, heard) = (rig.log(id).len() as u64, rig.bus.seen(id));
        let row = rig.store.rows(|rows| rows.jobs[&job].1.clone());
        let left = farewell(rig.response(id), Some(&row), said, cx.now());
        assert!(left.events[0].seq > heard.last().unwrap().seq + 1, "no number is used twice");
        rig.store.rows(|rows| {
            rows.responses.remove(&id);
            let log = left.events.iter().map(|event| (event.seq, event.clone())).collect();
            rows.events.insert(id.into(), log);
        });
        let next = rig.claim(job);
        if ended {
            rig.end(&next, Ending::Cancelled).await;
        } else {
            rig.run(&next).await.unwrap();
        }
        assert_eq!(rig.bus.seen(id), [heard, left.events].concat());
        assert_eq!(names(&rig.bus.seen(id)).last(), Some(&"response.cancelled"));
    }
}
