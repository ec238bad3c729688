use super::{CLOCK, LONG, answer, ask, llm};
use chat_core::ports::{CompletionStream, Llm};
use chat_openai::OpenAiLlm;
use chat_tests::fake_openai::{FakeOpenAi, StreamRecord};
use futures::{StreamExt, future::join_all};
use std::time::{Duration, Instant};

/// What a cancelled turn has for all of its way; this adapter and the kernel are only a part of it.
const GOAL: Duration = Duration::from_millis(50);

/// Odd: the median is one of them.
const ROUNDS: usize = 9;

async fn opened(llm: &OpenAiLlm, first: bool) -> CompletionStream {
    let mut stream = llm.complete(ask("Why?")).await.unwrap();
    if first {
        stream.next().await.unwrap().unwrap();
    }
    stream
}

/// How long the fake took to see that the only stream was left at `since`.
async fn seen(fake: &FakeOpenAi, since: Instant) -> Duration {
    fake.until(LONG, |journal| journal.open() == 0).await;
    let stream = fake.journal().streams().pop().unwrap();
    stream.left().unwrap().saturating_duration_since(since)
}

/// The machine may be busy at times: the median counts.
fn assert_quick(what: &str, goal: Duration, mut took: Vec<Duration>) {
    took.sort_unstable();
    println!("{what}: seen p50 {:?}, longest {:?}", took[took.len() / 2], took[took.len() - 1]);
    assert!(took[took.len() / 2] < goal, "{what}: {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_stream_closes_its_connection_at_once() {
    let _alone = CLOCK.lock().await;
    let fake = FakeOpenAi::start().await;
    let llm = llm(&fake);
    for (directives, first) in [
        ("tps=20;tokens=100", true),
        // The fake sends nothing: it must see the close, not fail to write.
        ("hang=1", true),
        ("hang=0", false),
        ("endless", true),
    ] {
        fake.directives(directives);
        let mut took = Vec::new();
        for _ in 0..ROUNDS {
            let stream = opened(&llm, first).await;
            assert_eq!(fake.journal().open(), 1);
            let since = Instant::now();
            drop(stream);
            took.push(seen(&fake, since).await);
        }
        assert_quick(directives, GOAL, took);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_before_the_headers_closes_the_connection_too() {
    let _alone = CLOCK.lock().await;
    let fake = FakeOpenAi::start().await;
    fake.directives("hang-headers");
    let llm = llm(&fake);
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let mut asking = Box::pin(llm.complete(ask("Why?")));
        tokio::select! {
            _ = &mut asking => panic!("the fake does not answer"),
            () = fake.until(LONG, |journal| journal.open() == 1) => {}
        }
        let since = Instant::now();
        drop(asking);
        took.push(seen(&fake, since).await);
    }
    assert_quick("before the headers", GOAL, took);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_streams_are_closed_at_once() {
    let _alone = CLOCK.lock().await;
    let fake = FakeOpenAi::start().await;
    fake.directives("hang=1");
    let llm = llm(&fake);
    let streams = join_all((0..200).map(|_| opened(&llm, true))).await;
    let since = Instant::now();
    drop(streams);
    fake.until(LONG, |journal| journal.open() == 0).await;
    let left = |stream: &StreamRecord| stream.left().unwrap().saturating_duration_since(since);
    // The last of 200 has waited for 199 others, which an unoptimised build takes its time for.
    assert_quick("200 streams", GOAL * 10, fake.journal().streams().iter().map(left).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_slow_streams_run_side_by_side() {
    let _alone = CLOCK.lock().await;
    let fake = FakeOpenAi::start().await;
    fake.directives("tps=20;tokens=30;ttft=500");
    let llm = llm(&fake);
    let begun = Instant::now();
    let answers = join_all((0..1000).map(|_| answer(&llm, ask("Why?")))).await;
    let took = begun.elapsed();
    assert_eq!(answers.iter().filter(|answer| answer.end.is_ok() && answer.pieces.len() == 30).count(), 1000);
    assert_eq!(fake.journal().streams().iter().filter(|stream| stream.complete).count(), 1000);
    println!("1000 streams of 1.95 s: {took:?}");
    assert!(took < LONG, "{took:?}");
}
