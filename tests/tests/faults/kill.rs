//! `kill -9`, again and again, while turns and documents are under way.

use chat_tests::{
    chat::{Chat, ChatClient},
    fake_openai::FakeOpenAi,
    history::History,
};
use rand::{Rng, RngExt, SeedableRng, rngs::SmallRng};
use serde_json::json;
use std::{
    path::Path,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

const KILLS: usize = 20;
const TURNS: usize = 300;
const DOCUMENTS: usize = 40;
const CALLERS: usize = 10;
/// After a restart everything that waited runs again within this time.
const RECOVERY: Duration = Duration::from_secs(15);

fn seed() -> u64 {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("SEED={seed}");
    seed
}

/// Where the server is now: it moves at every restart.
#[derive(Clone)]
struct Place(Arc<RwLock<ChatClient>>);

impl Place {
    fn now(&self) -> ChatClient {
        self.0.read().unwrap().clone()
    }
}

async fn start(data: &Path, fake: &FakeOpenAi) -> Chat {
    let settings = [
        ("OPENAI_BASE_URL", fake.url()),
        ("EMBEDDING_MODEL", "offline".into()),
        ("LOG_LEVEL", "warn".into()),
    ];
    Chat::up(data, &settings).await
}

/// Submits until it is accepted; an `Idempotency-Key` makes that safe when the answer was lost with the process.
async fn submit(place: &Place, path: &str, body: &serde_json::Value, key: &str) -> serde_json::Value {
    loop {
        let client = place.now();
        let sent = client.http.post(client.at(path)).header("Idempotency-Key", key).json(body).send().await;
        if let Ok(answer) = sent
            && let status = answer.status()
            && let Ok(body) = answer.json::<serde_json::Value>().await
        {
            if status == 202 {
                return body;
            }
            assert!(status.is_server_error(), "{status} {body}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn turns(place: Place, history: History, session: String, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let body =
            json!({ "content": format!("问题 {number}: what does the manual say about pump {number}?") });
        let answer =
            submit(&place, &format!("/sessions/{session}/messages"), &body, &format!("turn-{number}")).await;
        let response = answer["response"]["id"].as_str().unwrap().to_owned();
        history.turn(&response);
        let mut after = 0;
        while !history.watch(&place.now(), &response, &mut after).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn documents(place: Place, history: History, collection: String, mut random: SmallRng) {
    for number in 0..DOCUMENTS {
        let text =
            format!("# Pump {number}\n\n泵 {number} 的维护手册。\n\n").repeat(1 + random.random_range(0..40));
        let body = json!({ "text": text, "filename": format!("pump-{number}.md") });
        let path = format!("/collections/{collection}/documents");
        let answer = submit(&place, &path, &body, &format!("document-{number}")).await;
        history.document(answer["documents"][0]["id"].as_str().unwrap());
        tokio::time::sleep(Duration::from_millis(random.random_range(0..200))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_happens_twice() {
    let mut random = SmallRng::seed_from_u64(seed());
    let folder = tempfile::tempdir().unwrap();
    let fake = FakeOpenAi::start().await;
    fake.directives("say=泵 每 周 检查 一次 and log it in the book please [1]; ttft=30; tps=66");
    let mut server = start(folder.path(), &fake).await;
    let place = Place(Arc::new(RwLock::new(server.client())));
    let history = History::default();
    let collection = server.client().collection("pumps").await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let session = server.client().session(&json!({})).await;
        let share = TURNS / CALLERS;
        callers.spawn(turns(place.clone(), history.clone(), session, caller * share..(caller + 1) * share));
    }
    callers.spawn(documents(
        place.clone(),
        history.clone(),
        collection,
        SmallRng::seed_from_u64(random.next_u64()),
    ));
    let mut slowest = Duration::ZERO;
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(random.random_range(50..900))).await;
        server.kill();
        let killed = Instant::now();
        server = start(folder.path(), &fake).await;
        *place.0.write().unwrap() = server.client();
        slowest = slowest.max(killed.elapsed());
    }
    let ended = tokio::time::timeout(RECOVERY + Duration::from_mins(1), async {
        while let Some(caller) = callers.join_next().await {
            caller.unwrap();
        }
    });
    ended.await.expect("turns went on for too long after the last kill");
    assert!(slowest < RECOVERY, "a restart took {slowest:?}");
    let client = server.client();
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
