//! A worker that lives and reaches nobody.

use super::{outage, stage::Stage};
use chat_tests::{
    engines::{Cut, Engine, Engines, Links},
    process::{Role, Settings},
};
use rand::RngExt;
use std::time::{Duration, Instant};
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_cut_off_from_everything() {
    let mut stage = Stage::prepare("network", &Engines::named(), &[]).await;
    // With or without the model: a worker that still hears it has much to say when it is back.
    let model = stage.random.random_bool(0.5);
    let cut = [Cut::Refuse, Cut::Swallow, Cut::Hold][stage.random.random_range(0..3)];
    let mut engines = vec![Engine::Postgres, Engine::Redis, Engine::Weaviate, Engine::S3];
    engines.extend(model.then_some(Engine::Model));
    let settings: Settings = stage.deployment.settings().clone();
    let links = Links::lay(&engines, &settings).await;
    println!("network: {cut:?}, of the model, too: {model}");
    for (role, settings) in [
        (Role::Api, &Settings::new()),
        (Role::Api, &Settings::new()),
        (Role::Worker, links.settings()),
        (Role::Worker, &Settings::new()),
    ] {
        stage.deployment.add(role, settings).await;
    }
    stage.load(outage(30) + Duration::from_secs(5)).await;
    stage.burst().await;
    let claims = stage.ledger.claims().await;
    links.cut_all(cut).await;
    let gone = Instant::now();
    stage.released("a cut", &claims, gone).await;
    sleep(outage(30).saturating_sub(gone.elapsed())).await;
    links.mend_all(cut).await;
    stage.recovered("a cut", Instant::now()).await;
    stage.finish().await;
}
