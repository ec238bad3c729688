//! An upgrade: every process is replaced while streams run, and no user sees an error.

use super::{number, stage::Stage};
use chat_tests::{
    chat::ChatClient,
    engines::Engines,
    history::History,
    process::{Role, Settings},
    sse::SseReader,
};
use serde_json::json;
use std::time::Duration;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

/// Ten seconds: some end before their worker has to go, some do not.
const QUESTION: &str = "Take your time. [[fake:tokens=60; tps=6]]";
/// How long a worker waits for what runs.
const GRACE: &str = "5s";
/// How long a load balancer takes to send nobody there any more.
const BALANCER: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn every_process_is_replaced_while_streams_run() {
    let streams = number("FAULT_STREAMS").unwrap_or(40) as usize;
    let more = [("GRACE_PERIOD", GRACE.to_owned())];
    let mut stage = Stage::prepare("rolling restart", &Engines::named(), &more).await;
    stage.start(&Settings::new()).await;
    stage.load(Duration::from_secs(20)).await;
    let mut readers = JoinSet::new();
    for _ in 0..streams {
        readers.spawn(read(stage.deployment.client(), stage.history.clone()));
    }
    stage.fake.until(Duration::from_secs(30), |journal| journal.open() >= streams / 2).await;
    for place in 0..stage.deployment.processes.len() {
        // The load balancer first: whoever comes now goes elsewhere.
        stage.deployment.withdraw(place);
        sleep(BALANCER).await;
        let process = &mut stage.deployment.processes[place];
        let role = process.role;
        let status = process.stop().await;
        assert!(status.success(), "{role:?} ended with {status}");
        stage.deployment.replace(place).await;
        println!("rolling restart: {} replaced", if role == Role::Api { "an interface" } else { "a worker" });
    }
    let ended = timeout(Duration::from_mins(2), async {
        while let Some(reader) = readers.join_next().await {
            reader.unwrap();
        }
    });
    assert!(ended.await.is_ok(), "{} readers still wait", readers.len());
    stage.finish().await;
}

/// A user who takes no error for granted: all that may happen is that a stream ends, and is there again.
async fn read(client: ChatClient, history: History) {
    let session = client.session(&json!({})).await;
    for _ in 0..2 {
        let (status, turn) = client.ask(&session, QUESTION).await.expect("a turn is answered");
        assert_eq!(status, 202, "{turn}");
        let response = turn["response"]["id"].as_str().unwrap().to_owned();
        history.turn(&response);
        let mut after = 0;
        let mut over = false;
        while !over {
            let answer = client.events(&response, after).await.expect("a stream opens");
            let mut reader = SseReader::new(answer);
            while let Some(event) = reader.next().await {
                let event = event.expect("a stream ends between two events");
                let follows = event.id == after + 1 || event.name == "response.restarted";
                assert!(event.id > after && follows, "{response}: {after} then {}", event.id);
                after = event.id;
                history.event(&response, &event);
                over = event.is_terminal();
            }
        }
    }
}
