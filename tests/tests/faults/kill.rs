//! `kill -9`, again and again, while turns and documents are under way.

use super::{RECOVERY, alone, load::User, random};
use chat_tests::{
    chat::ChatClient,
    deployment::{Deployment, Profile},
    fake_openai::FakeOpenAi,
    history::History,
};
use rand::{Rng, RngExt, SeedableRng, rngs::SmallRng};
use serde_json::json;
use std::time::{Duration, Instant};

const KILLS: usize = 20;
const TURNS: usize = 300;
const DOCUMENTS: usize = 40;
const CALLERS: usize = 10;

async fn turns(user: User, session: String, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let question = format!("问题 {number}: what does the manual say about pump {number}?");
        user.turn(&session, &question, &format!("turn-{number}")).await;
    }
}

async fn documents(user: User, collection: String, mut random: SmallRng) {
    for number in 0..DOCUMENTS {
        user.upload(&collection, number, random.random_range(1..41)).await;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..200))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_happens_twice() {
    let _alone = alone().await;
    let mut random = random("kill -9 of everything");
    let fake = FakeOpenAi::start().await;
    fake.directives("say=泵 每 周 检查 一次 and log it in the book please [1]; ttft=30; tps=66");
    let settings = [("OPENAI_BASE_URL", fake.url()), ("EMBEDDING_MODEL", "offline".into())];
    let mut server = Deployment::start(Profile::Embedded, &settings).await;
    let user = User { client: server.client(), history: History::default() };
    let collection = user.client.collection("pumps").await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let session = user.client.session(&json!({})).await;
        let share = TURNS / CALLERS;
        callers.spawn(turns(user.clone(), session, caller * share..(caller + 1) * share));
    }
    callers.spawn(documents(user.clone(), collection, SmallRng::seed_from_u64(random.next_u64())));
    let mut slowest = Duration::ZERO;
    for _ in 0..KILLS {
        // A life is often too short for a turn, but not always: a build without optimisation takes half a second to
        // get its first words out.
        tokio::time::sleep(Duration::from_millis(random.random_range(50..2000))).await;
        server.kill();
        let killed = Instant::now();
        server.start_again().await;
        slowest = slowest.max(killed.elapsed());
    }
    let ended = tokio::time::timeout(RECOVERY + Duration::from_mins(1), async {
        while let Some(caller) = callers.join_next().await {
            caller.unwrap();
        }
    });
    ended.await.expect("turns went on for too long after the last kill");
    assert!(slowest < RECOVERY, "a restart took {slowest:?}");
    let User { client, history } = user;
    assert_eq!((history.turns().len(), history.documents().len()), (TURNS, DOCUMENTS));
    history.check_turns(&client).await;
    history.check_documents(&client).await;
    check_sessions(&client).await;
    println!("{KILLS} kills, slowest restart {slowest:?}");
}

/// One answer for each question, in the order of the questions.
async fn check_sessions(client: &ChatClient) {
    let (_, sessions) = client.get("/sessions?limit=100").await.unwrap();
    for session in sessions["data"].as_array().unwrap() {
        let path = format!("/sessions/{}/messages?limit=100&order=asc", session["id"].as_str().unwrap());
        let (_, messages) = client.get(&path).await.unwrap();
        let roles: Vec<_> =
            messages["data"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
        assert!(roles.chunks(2).all(|pair| pair == ["user", "assistant"]), "{roles:?}");
    }
}
