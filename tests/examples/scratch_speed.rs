#![allow(clippy::all, clippy::pedantic, clippy::unwrap_used, missing_docs)]
use chat_core::{ports::*, *};
use chat_embedded::*;
use chat_jobs::*;
use chat_worker::*;
use std::{sync::Arc, time::*};
struct No;
#[async_trait::async_trait]
impl Llm for No {
    fn model(&self) -> &str {
        "no"
    }
    async fn complete(&self, _: Completion) -> PortResult<CompletionStream> {
        Err(PortError::internal("no"))
    }
}
#[async_trait::async_trait]
impl Embedder for No {
    fn model(&self) -> &str {
        "no"
    }
    fn max_batch(&self) -> usize {
        1
    }
    async fn embed(&self, _: &[String]) -> PortResult<Embeddings> {
        Err(PortError::internal("no"))
    }
}
#[async_trait::async_trait]
impl Parser for No {
    async fn parse(&self, _: ParseInput) -> PortResult<ParsedText> {
        Err(PortError::internal("no"))
    }
}
async fn ports(dir: &std::path::Path) -> (Ports, Arc<SqliteStore>) {
    let store = Arc::new(SqliteStore::open(SqliteOptions::new(dir.join("chat.db"))).await.unwrap());
    (
        Ports {
            store: store.clone(),
            lanes: Arc::new(MemoryLanes::new()),
            bus: Arc::new(MemoryBus::new()),
            cache: Arc::new(MemoryCache::new()),
            blobs: Arc::new(FileBlobs::open(dir.join("files")).unwrap()),
            index: Arc::new(EmbeddedIndex::open(dir.join("index.db")).await.unwrap()),
            llm: Arc::new(No),
            embedder: Arc::new(No),
            parser: Arc::new(No),
            clock: Arc::new(SystemClock),
        },
        store,
    )
}
async fn enqueue(ports: &Ports, n: usize) -> f64 {
    let t = Instant::now();
    let mut set = tokio::task::JoinSet::new();
    let callers = 512.min(n);
    for _ in 0..callers {
        let d = ports.dispatcher();
        set.spawn(async move {
            for _ in 0..n / callers {
                let j = Noop {}.job(&Tenant::default());
                d.record(vec![Change::Enqueue(Box::new(j))]).await.unwrap();
            }
        });
    }
    while set.join_next().await.is_some() {}
    n as f64 / t.elapsed().as_secs_f64()
}
#[tokio::main]
async fn main() {
    let base = std::env::args().nth(1).unwrap();
    for n in [1_024usize, 20_480, 204_800] {
        let dir = tempfile::tempdir_in(&base).unwrap();
        let (p, store) = ports(dir.path()).await;
        let e = enqueue(&p, n).await;
        let t = Instant::now();
        let w = Worker::start(Engine::new(
            p.clone(),
            registry(),
            vec![],
            Arc::new(Options::default()),
            WorkerOptions::default(),
        ))
        .await;
        loop {
            let s = store.lane_stats(true).await.unwrap();
            if s.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(if n < 5000 { 1 } else { 20 })).await;
        }
        let d = n as f64 / t.elapsed().as_secs_f64();
        println!("n={n} enqueue {e:.0}/s drain {d:.0}/s");
        // both at once
        if n == 20_480 {
            let t = Instant::now();
            let e = enqueue(&p, n).await;
            loop {
                let s = store.lane_stats(true).await.unwrap();
                if s.is_empty() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            println!("  together enqueue {e:.0}/s all {:.0}/s", n as f64 / t.elapsed().as_secs_f64());
            let mut v = vec![];
            let mut ins = vec![];
            for _ in 0..500 {
                let j = Noop {}.job(&Tenant::default());
                let id = j.id;
                let t = Instant::now();
                p.dispatcher().record(vec![Change::Enqueue(Box::new(j))]).await.unwrap();
                ins.push(t.elapsed().as_secs_f64() * 1e3);
                tokio::time::sleep(Duration::from_millis(8)).await;
                let j = loop {
                    let j = store.job(None, id).await.unwrap();
                    if j.started_at.is_some() {
                        break j;
                    }
                };
                v.push((j.started_at.unwrap().0 - j.created_at.0) as f64);
            }
            ins.sort_by(f64::total_cmp);
            v.sort_by(f64::total_cmp);
            println!(
                "  insert p50 {:.2} p99 {:.2}; db pickup p50 {} p99 {}",
                ins[250], ins[495], v[250], v[495]
            );
        }
        w.drain(Duration::from_secs(1)).await;
        store.close().await;
    }
}
