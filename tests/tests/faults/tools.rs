//! The tools of these tests do what they say: a cut that cuts nothing proves nothing.

use chat_tests::{
    engines::{Cut, Engine, Engines, Links, PrivateEngine},
    sse::SseEvent,
};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_way_says_nothing_and_a_mended_one_does() {
    let links = Links::lay(&[Engine::Redis], &Engines::named().settings()).await;
    let near = &links.settings()[0].1;
    for cut in [Cut::Refuse, Cut::Swallow, Cut::Hold] {
        ping(near).await.unwrap_or_else(|| panic!("no answer before {cut:?}"));
        links.cut_all(cut).await;
        assert!(ping(near).await.is_none(), "an answer in spite of {cut:?}");
        links.mend_all(cut).await;
        ping(near).await.unwrap_or_else(|| panic!("no answer after {cut:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_engine_stops_and_starts() {
    let redis = PrivateEngine::redis();
    let engines = Engines::named().with(redis.settings());
    let url = engines.setting("REDIS_URL");
    assert!(ping(url).await.is_some());
    redis.stop();
    assert!(ping(url).await.is_none(), "it was stopped");
    redis.start();
    assert!(ping(url).await.is_some());
}

async fn ping(url: &str) -> Option<()> {
    let client = ::redis::Client::open(url).unwrap();
    let asked = async {
        let mut connection = client.get_multiplexed_async_connection().await?;
        ::redis::cmd("PING").exec_async(&mut connection).await
    };
    timeout(SOON, asked).await.ok()?.ok()
}

fn event(id: u64, name: &str) -> SseEvent {
    SseEvent { id, name: format!("response.{name}"), data: json!({ "response_id": "resp_1", "delta": "x" }) }
}

fn checked(events: &[SseEvent]) -> bool {
    std::panic::catch_unwind(|| chat_tests::history::check_stream("resp_1", events)).is_ok()
}

#[test]
fn the_checker_sees_gaps_repeats_and_second_ends() {
    let (queued, end) = (event(1, "queued"), event(2, "completed"));
    assert!(checked(&[queued.clone(), end.clone()]));
    assert!(checked(&[queued.clone(), event(9, "restarted"), event(10, "completed")]));
    assert!(!checked(std::slice::from_ref(&queued)), "no end");
    assert!(!checked(&[queued.clone(), event(3, "completed")]), "a gap");
    assert!(!checked(&[queued.clone(), queued.clone(), end.clone()]), "a repeat");
    assert!(!checked(&[queued.clone(), end, event(3, "completed")]), "two ends");
    assert!(!checked(&[queued, event(2, "completed"), event(3, "in_progress")]), "more after the end");
}
