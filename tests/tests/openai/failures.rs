use super::{CLOCK, SHORT, answer, ask, llm};
use chat_core::{
    ErrorKind,
    ports::{Completion, Embedder, Llm},
};
use chat_openai::{OpenAiEmbedder, OpenAiLlm, OpenAiServer};
use chat_tests::fake_openai::{FakeOpenAi, Script};
use futures::StreamExt;
use std::time::{Duration, Instant};

#[tokio::test]
async fn every_refusal_has_its_kind() {
    let fake = FakeOpenAi::start().await;
    for (directives, kind) in [
        ("status=400;message=bad", ErrorKind::Invalid),
        ("status=401", ErrorKind::Unauthorized),
        ("status=402;message=Insufficient Balance", ErrorKind::Unauthorized),
        ("status=403", ErrorKind::Unauthorized),
        ("status=404;message=no such model", ErrorKind::Invalid),
        ("status=408", ErrorKind::Timeout),
        ("status=422;message=bad", ErrorKind::Invalid),
        ("status=429", ErrorKind::RateLimited),
        ("status=429;code=insufficient_quota", ErrorKind::Unauthorized),
        ("status=500", ErrorKind::Unavailable),
        ("status=502;html", ErrorKind::Unavailable),
        ("status=503;message=overloaded", ErrorKind::Unavailable),
        ("status=529", ErrorKind::Unavailable),
        ("status=302;header=location:http://127.0.0.1:9/", ErrorKind::Invalid),
        ("status=200;message=an error with a status of success", ErrorKind::Unavailable),
        ("status=200;html", ErrorKind::Protocol),
    ] {
        fake.directives(directives);
        let before = fake.journal().count();
        let error = answer(&llm(&fake), ask("Why?")).await.error();
        assert_eq!(error.kind, kind, "{directives}: {error}");
        assert_eq!(fake.journal().count() - before, 1, "{directives}: no try of its own");
        let message = Script::parse(directives).unwrap().refusal.unwrap().message;
        assert!(error.message.contains(&message), "{directives}: {error}");
    }
}

#[tokio::test]
async fn the_wait_that_a_server_asks_for_is_passed_on() {
    let fake = FakeOpenAi::start().await;
    for (directives, wait) in [
        ("status=429;retry-after=7", Some(7.0)),
        ("status=503;retry-after=2", Some(2.0)),
        ("status=429;header=retry-after-ms:1500", Some(1.5)),
        ("status=429;header=x-ratelimit-reset-tokens:1m2s", Some(62.0)),
        ("status=429;retry-after=Fri, 31 Dec 9999 23:59:59 GMT", Some(3600.0)),
        ("status=429", None),
        ("status=400;retry-after=7", None),
    ] {
        fake.directives(directives);
        let begun = Instant::now();
        let error = answer(&llm(&fake), ask("Why?")).await.error();
        assert_eq!(error.retry_after, wait.map(Duration::from_secs_f64), "{directives}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{directives}: waiting is the caller's work");
    }
}

#[tokio::test]
async fn a_refused_key_is_not_repeated() {
    let fake = FakeOpenAi::start().await;
    fake.script(Script { key: Some("another".to_owned()), ..Script::default() });
    let server = OpenAiServer::new(fake.url()).with_api_key("my-own-secret");
    let error = answer(&OpenAiLlm::new(&server, "m").unwrap(), ask("Why?")).await.error();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    assert!(error.message.contains("Incorrect API key provided"), "{error}");
    assert!(!format!("{error:?}").contains("my-own-secret"), "{error:?}");
    let embedder = OpenAiEmbedder::new(&server, "m").unwrap();
    let error = embedder.embed(&["x".to_owned()]).await.unwrap_err();
    assert!(
        error.kind == ErrorKind::Unauthorized && !format!("{error:?}").contains("my-own-secret"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_long_message_is_shortened() {
    let fake = FakeOpenAi::start().await;
    fake.directives(&format!("status=400;message={}", "很长 ".repeat(10_000)));
    let error = answer(&llm(&fake), ask("Why?")).await.error();
    assert!(error.message.chars().count() < 360, "{}", error.message.len());
}

#[tokio::test]
async fn a_stream_that_breaks_says_how() {
    let fake = FakeOpenAi::start().await;
    for (directives, kind, pieces) in [
        ("cut=3", ErrorKind::Unavailable, 3),
        ("cut=0", ErrorKind::Unavailable, 0),
        ("end=3", ErrorKind::Unavailable, 3),
        ("end=0;no-role", ErrorKind::Unavailable, 0),
        ("error=3", ErrorKind::Unavailable, 3),
        ("garbage=3", ErrorKind::Protocol, 3),
        ("garbage=0;no-role", ErrorKind::Protocol, 0),
        ("long-line=3", ErrorKind::Protocol, 3),
        ("finish=error;tokens=3", ErrorKind::Unavailable, 3),
    ] {
        fake.directives(directives);
        let answer = answer(&llm(&fake), ask("Why?")).await;
        // What came together with a broken connection may be lost with it.
        assert!(answer.pieces.len() == pieces || directives.starts_with("cut"), "{directives}: {answer:?}");
        let error = answer.error();
        assert_eq!(error.kind, kind, "{directives}: {error}");
        fake.until(super::LONG, |journal| journal.open() == 0).await;
    }
}

#[tokio::test]
async fn silence_is_a_timeout_wherever_it_begins() {
    let _alone = CLOCK.lock().await;
    let fake = FakeOpenAi::start().await;
    let impatient = Completion { first_token_timeout: SHORT, idle_timeout: SHORT, ..ask("Why?") };
    for (directives, pieces) in [
        ("hang-headers", 0),
        ("hang=0", 0),
        ("hang=0;no-role", 0),
        ("hang=3", 3),
        // Signs of life that are no answer.
        ("drip=0", 0),
        ("drip=3", 3),
    ] {
        fake.directives(directives);
        let begun = Instant::now();
        let answer = answer(&llm(&fake), impatient.clone()).await;
        let waited = begun.elapsed();
        assert_eq!(answer.pieces.len(), pieces, "{directives}");
        let error = answer.error();
        assert_eq!(error.kind, ErrorKind::Timeout, "{directives}: {error}");
        assert!(waited >= SHORT && waited < SHORT * 8, "{directives}: {waited:?}");
        fake.until(super::LONG, |journal| journal.open() == 0).await;
    }
}

#[tokio::test]
async fn the_first_token_and_the_next_ones_have_their_own_patience() {
    let _alone = CLOCK.lock().await;
    let fake = FakeOpenAi::start().await;
    // Slow to begin, then steady; reasoning counts as a beginning.
    let completion = Completion { first_token_timeout: SHORT * 8, idle_timeout: SHORT, ..ask("Why?") };
    for directives in ["ttft=900;tokens=20;tps=50", "ttft=900;reasoning=20;tokens=3;tps=50"] {
        fake.directives(directives);
        answer(&llm(&fake), completion.clone()).await.end.unwrap();
    }
}

#[tokio::test]
async fn a_slow_reader_is_no_silent_server() {
    let _alone = CLOCK.lock().await;
    let fake = FakeOpenAi::start().await;
    fake.directives("tokens=5;tps=50");
    let mut stream = llm(&fake).complete(Completion { idle_timeout: SHORT, ..ask("Why?") }).await.unwrap();
    stream.next().await.unwrap().unwrap();
    // The wait itself is what is tested.
    tokio::time::sleep(SHORT * 2).await;
    while let Some(delta) = stream.next().await {
        delta.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_until_it_is_back() {
    let fake = FakeOpenAi::start().await;
    let llm = llm(&fake);
    answer(&llm, ask("Why?")).await.end.unwrap();
    fake.stop_listening().await;
    let begun = Instant::now();
    let error = answer(&llm, ask("Why?")).await.error();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    assert!(error.message.contains("refused") && begun.elapsed() < Duration::from_secs(2), "{error}");
    fake.listen_again().await;
    answer(&llm, ask("Why?")).await.end.unwrap();
    let nowhere = OpenAiServer::new("http://no-such-host.invalid/v1");
    let error = answer(&OpenAiLlm::new(&nowhere, "m").unwrap(), ask("Why?")).await.error();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn a_server_that_dies_cuts_its_streams() {
    let fake = FakeOpenAi::start().await;
    fake.directives("tps=20;tokens=1000");
    let llm = llm(&fake);
    let asking = answer(&llm, ask("Why?"));
    let dying = async {
        fake.until(super::LONG, |journal| journal.open() == 1).await;
        fake.cut_streams();
    };
    let (answer, ()) = tokio::join!(asking, dying);
    assert_eq!(answer.error().kind, ErrorKind::Unavailable);
}
