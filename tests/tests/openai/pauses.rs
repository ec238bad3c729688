//! A server that asks for a pause gets it, from all who share what is known of it.

use crate::{answer, ask};
use chat_core::{ErrorKind, ports::Completion, ports::Llm};
use chat_embedded::{MemoryCache, SystemClock};
use chat_openai::{Gate, OpenAiLlm, OpenAiServer};
use chat_tests::{chat::eventually, fake_openai::FakeOpenAi};
use std::{sync::Arc, time::Duration};

/// Models of as many processes.
fn processes(fake: &FakeOpenAi, count: usize) -> Vec<OpenAiLlm> {
    let cache = Arc::new(MemoryCache::new());
    let gate = || Arc::new(Gate::new(cache.clone(), Arc::new(SystemClock)));
    let model = |_| OpenAiLlm::new(&OpenAiServer::new(fake.url()).with_gate(gate()), "fake-model").unwrap();
    (0..count).map(model).collect()
}

#[tokio::test]
async fn what_one_process_is_told_all_of_them_heed() {
    let fake = FakeOpenAi::start().await;
    fake.directives("status=429;retry-after=2");
    let [one, other] = &processes(&fake, 2)[..] else { unreachable!() };
    assert_eq!(other.pause().await, None);
    let refused = answer(one, ask("Why?")).await.error();
    assert_eq!((refused.kind, refused.unasked), (ErrorKind::RateLimited, false));
    let wait = refused.retry_after.unwrap();
    assert!((Duration::from_millis(1_500)..Duration::from_secs(4)).contains(&wait), "{wait:?}");

    fake.directives("say=yes");
    eventually("the other process hears of it", async || other.pause().await.map(drop)).await;
    let refused = answer(other, ask("Why?")).await.error();
    assert_eq!((refused.kind, refused.unasked), (ErrorKind::RateLimited, true));
    assert!(refused.retry_after.is_some());
    assert_eq!(fake.journal().count(), 1, "it was asked before its time");
    let another = Completion { model: "other".to_owned(), ..ask("Why?") };
    assert_eq!(answer(other, another).await.text(), "yes", "each model has limits of its own");

    eventually("the pause ends", async || other.pause().await.is_none().then_some(())).await;
    assert_eq!(answer(other, ask("Why?")).await.text(), "yes");
    assert_eq!(answer(one, ask("Why?")).await.text(), "yes");
}

#[tokio::test]
async fn who_uses_a_limit_up_leaves_the_model_alone_until_it_resets() {
    let fake = FakeOpenAi::start().await;
    fake.directives("say=yes;told=x-ratelimit-remaining-tokens:0;told=x-ratelimit-reset-tokens:6m0s");
    let [llm] = &processes(&fake, 1)[..] else { unreachable!() };
    assert_eq!(answer(llm, ask("Why?")).await.text(), "yes");
    let refused = answer(llm, ask("Why?")).await.error();
    assert!(refused.unasked && refused.kind == ErrorKind::RateLimited, "{refused:?}");
    assert_eq!(fake.journal().count(), 1);
}

/// Somebody asks again after a minute, whatever it says; those who come back then do not do so all at once.
#[tokio::test]
async fn a_pause_that_makes_no_sense_has_an_end() {
    let fake = FakeOpenAi::start().await;
    fake.directives("status=429;retry-after=100000");
    let [llm] = &processes(&fake, 1)[..] else { unreachable!() };
    let wait = answer(llm, ask("Why?")).await.error().retry_after.unwrap();
    assert!((Duration::from_secs(59)..=Duration::from_secs(75)).contains(&wait), "{wait:?}");
    let mut waits = Vec::new();
    for _ in 0..20 {
        waits.push(llm.pause().await.unwrap());
    }
    let (first, last) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
    assert!(last.abs_diff(*first) > Duration::from_secs(1), "{waits:?}");
}

#[tokio::test]
async fn a_refusal_without_a_time_holds_nobody_back() {
    let fake = FakeOpenAi::start().await;
    fake.directives("status=429");
    let [llm] = &processes(&fake, 1)[..] else { unreachable!() };
    for _ in 0..2 {
        let refused = answer(llm, ask("Why?")).await.error();
        assert_eq!((refused.unasked, refused.retry_after), (false, None));
    }
    assert_eq!(fake.journal().count(), 2);
}
