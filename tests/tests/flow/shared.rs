//! Several processes are one system: what is asked of one is read from another, and all workers work.

use super::with_fake;
use chat_tests::{
    deployment::{Deployment, Profile},
    history,
    process::{Process, Role},
    sse::SseReader,
};
use futures::future::join_all;
use serde_json::json;

const TURNS: usize = 60;
/// A process that the machine gave no time to may miss most of a burst, but not of each.
const ROUNDS: usize = 3;
const STARTED: &str = "jobs_started_total";

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_of_one_interface_is_read_from_another_and_workers_share_the_work() {
    let (_fake, server) = with_fake(Profile::Cluster, "say=one two three four; ttft=30; tps=40").await;
    for round in 1..=ROUNDS {
        ask_and_read(&server).await;
        let mut least = f64::INFINITY;
        for worker in server.of(Role::Worker) {
            let started = worker.metric(STARTED).await.expect("a worker counts its jobs");
            println!("a worker has started {started} of {} jobs", round * TURNS);
            least = least.min(started);
        }
        if least >= (round * TURNS) as f64 / 10.0 {
            return;
        }
    }
    panic!("a worker did less than a tenth of the work");
}

/// Many turns at once; each is asked of one interface and read from another.
async fn ask_and_read(server: &Deployment) {
    let interfaces: Vec<_> = server.of(Role::Api).map(Process::client).collect();
    let turns = (0..TURNS).map(async |number| {
        let (asked, read) = (&interfaces[number % 2], &interfaces[(number + 1) % 2]);
        let session = asked.session(&json!({})).await;
        let (status, turn) = asked.ask(&session, &format!("question {number}")).await.unwrap();
        assert_eq!(status, 202, "{turn}");
        let response = turn["response"]["id"].as_str().unwrap();
        let events = SseReader::new(read.events(response, 0).await.unwrap()).rest().await.unwrap();
        history::check_stream(response, &events);
        assert_eq!(history::text(&events), "one two three four");
    });
    join_all(turns).await;
}
