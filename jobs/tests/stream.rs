//! How events are gathered, published and stored.

use crate::fakes::{Rig, data, names, text_of};
use chat_core::{Change, PortResult, ResponseId, object};
use chat_jobs::{JUMP, JobContext, ResponseStream, Start, Voice};
use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinSet};

struct Open {
    rig: Rig,
    id: ResponseId,
    cx: JobContext,
}

impl Open {
    fn new() -> Self {
        let rig = Rig::new();
        let (id, job) = rig.ask(rig.session(), "?");
        let cx = rig.claim(job);
        Self { rig, id, cx }
    }

    async fn stream(&self) -> (Voice, ResponseStream) {
        let start = Start::find(&self.cx, self.id.into()).await.unwrap();
        ResponseStream::open(&self.cx, self.id, start).await
    }

    /// Opens the stream and pumps it while `script` plays.
    async fn play(&self, script: impl AsyncFnOnce(&Voice) -> PortResult<()>) -> ResponseStream {
        let (voice, mut stream) = self.stream().await;
        stream.carry(script(&voice)).await.unwrap();
        stream
    }

    async fn say(&self, voice: &Voice, piece: &str) {
        voice.say(piece, &mut String::new()).await.unwrap();
        self.pass(0).await;
    }

    async fn pass(&self, milliseconds: u64) {
        self.rig.clock.advance(Duration::from_millis(milliseconds)).await;
    }

    fn published(&self) -> Vec<String> {
        let seen = self.rig.bus.seen(self.id);
        let deltas = seen.iter().filter(|event| &*event.name == "response.output_text.delta");
        deltas.map(|event| data(event)["delta"].as_str().unwrap().to_owned()).collect()
    }

    fn stored(&self) -> usize {
        self.rig.log(self.id).len()
    }
}

#[tokio::test]
async fn the_first_piece_goes_at_once_and_the_next_are_gathered() {
    let open = Open::new();
    open.play(async |voice| {
        open.say(voice, "a").await;
        assert_eq!(open.published(), ["a"]);
        open.say(voice, "b").await;
        open.pass(7).await;
        open.say(voice, "c").await;
        assert_eq!(open.published(), ["a"]);
        open.pass(1).await;
        assert_eq!(open.published(), ["a", "bc"]);
        open.pass(8).await;
        open.say(voice, "d").await;
        assert_eq!(open.published(), ["a", "bc", "d"], "after a pause the first goes at once again");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_piece_polls_the_work_once() {
    let open = Open::new();
    let (voice, mut stream) = open.stream().await;
    let (model, mut pieces) = mpsc::unbounded_channel::<&str>();
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = polls.clone();
    let mut run = JoinSet::new(); // a task of its own, as a job has: nothing else polls it
    run.spawn(async move {
        let mut work = pin!(async {
            while let Some(piece) = pieces.recv().await {
                voice.say(piece, &mut String::new()).await?;
            }
            PortResult::Ok(())
        });
        let work = poll_fn(|cx| {
            counted.fetch_add(1, Ordering::Relaxed);
            work.as_mut().poll(cx)
        });
        stream.carry(work).await
    });
    for said in 1..=5 {
        open.pass(10).await;
        let before = polls.load(Ordering::Relaxed);
        model.send("x").unwrap();
        open.pass(0).await;
        assert_eq!(open.published().len(), said, "at once");
        assert_eq!(polls.load(Ordering::Relaxed) - before, 1);
    }
    drop(model);
    run.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn an_event_never_overtakes_text() {
    let open = Open::new();
    open.play(async |voice| {
        open.say(voice, "a").await;
        open.say(voice, "b").await;
        voice.tell("response.output_text.annotation.added", object([("annotation", 1.into())])).await?;
        open.pass(0).await;
        let seen = open.rig.bus.seen(open.id);
        assert_eq!(
            names(&seen)[1..].to_vec(),
            [
                "response.output_text.delta",
                "response.output_text.delta",
                "response.output_text.annotation.added"
            ]
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn events_are_stored_in_time_and_the_bus_is_told() {
    let open = Open::new();
    open.play(async |voice| {
        open.say(voice, "a").await;
        assert_eq!(open.stored(), 2, "queued and in_progress");
        open.pass(999).await;
        assert_eq!(open.stored(), 2);
        open.pass(1).await;
        assert_eq!(open.stored(), 3);
        assert_eq!(open.rig.bus.persisted_to(open.id), 3);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn many_events_are_stored_before_their_time() {
    let open = Open::new();
    open.play(async |voice| {
        for _ in 0..128 {
            voice.tell("response.test", object([])).await?;
        }
        open.pass(0).await;
        assert_eq!(open.stored(), 2 + 128);
        assert!(open.rig.store.rows(|rows| rows.commits) <= 4, "in few transactions");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn nothing_is_published_beyond_what_a_jump_covers() {
    let open = Open::new();
    let (voice, mut stream) = open.stream().await;
    let flood = async {
        open.pass(0).await;
        open.rig.store.rows(|rows| rows.refuse = vec![chat_core::ErrorKind::Unavailable; 1_000]);
        let mut text = String::new();
        loop {
            voice.say("x", &mut text).await?;
            voice.tell("response.test", object([])).await?;
        }
    };
    tokio::select! {
        biased;
        stopped = stream.carry(flood) => { let _: PortResult<()> = stopped; panic!("nobody reads any more") }
        () = async { for _ in 0..500 { open.pass(1).await; } } => {}
    }
    let stored = open.stored() as u64;
    let published = open.rig.bus.seen(open.id).last().unwrap().seq;
    assert!(published > stored + 500, "it goes on for a while: {published}");
    open.rig.store.rows(|rows| rows.refuse.clear());
    let _ = stream.finish().await.unwrap();
    let all = open.rig.bus.seen(open.id).last().unwrap().seq;
    assert!(all - stored < JUMP, "{all} of which {stored} are stored");
}

#[tokio::test]
async fn what_is_left_at_the_end_is_written_by_the_last_transaction() {
    let open = Open::new();
    let stream = open
        .play(async |voice| {
            open.say(voice, "a").await;
            voice.say("b", &mut String::new()).await
        })
        .await;
    let mut rest = stream.finish().await.unwrap();
    rest.tell("response.completed", object([]));
    let (changes, publish) = rest.into_parts();
    let Some(Change::AppendEvents(_, unsaved)) = changes.last() else { panic!("no events: {changes:?}") };
    assert_eq!(text_of(unsaved), "ab");
    assert_eq!(names(&publish[0].1), ["response.completed"], "the end is told only when it is durable");
    assert_eq!(open.published(), ["a", "b"]);
}

#[tokio::test]
async fn a_superseded_writer_stops() {
    let open = Open::new();
    let (voice, mut stream) = open.stream().await;
    let superseded = async {
        open.say(&voice, "a").await;
        let _new = open.rig.claim(open.cx.claim.job);
        open.pass(1_000).await;
        std::future::pending::<PortResult<()>>().await
    };
    let error = stream.carry(superseded).await.unwrap_err();
    assert_eq!(error.kind, chat_core::ErrorKind::Stale);
}
