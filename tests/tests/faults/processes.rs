//! Processes that die, and one that stands still and comes back.

use super::{outage, stage::Stage};
use chat_tests::{engines::Engines, process::Settings};
use rand::RngExt;
use std::time::{Duration, Instant};
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_and_an_interface_are_killed() {
    let mut stage = Stage::prepare("kill -9", &Engines::named(), &[]).await;
    stage.start(&Settings::new()).await;
    stage.load(Duration::from_secs(20)).await;
    stage.burst().await;
    let worker = stage.random.random_range(2..4);
    let claims = stage.ledger.claims().await;
    stage.deployment.processes[worker].kill();
    let killed = Instant::now();
    stage.released("kill -9 of a worker", &claims, killed).await;
    stage.recovered("kill -9 of a worker", killed).await;
    stage.deployment.replace(worker).await;

    stage.burst().await;
    let interface = stage.random.random_range(0..2);
    stage.deployment.processes[interface].kill();
    let killed = Instant::now();
    stage.recovered("kill -9 of an interface", killed).await;
    stage.deployment.replace(interface).await;
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_stands_still_and_comes_back_late() {
    let mut stage = Stage::prepare("SIGSTOP", &Engines::named(), &[]).await;
    stage.start(&Settings::new()).await;
    stage.load(outage(30) + Duration::from_secs(5)).await;
    stage.burst().await;
    let worker = stage.random.random_range(2..4);
    let stopped = stage.stop_within_a_transaction(worker).await;
    let claims = stage.ledger.claims().await;
    stage.released("SIGSTOP of a worker", &claims, stopped).await;
    sleep(outage(30).saturating_sub(stopped.elapsed())).await;
    stage.deployment.processes[worker].signal("CONT");
    stage.recovered("SIGCONT", Instant::now()).await;
    stage.finish().await;
}
