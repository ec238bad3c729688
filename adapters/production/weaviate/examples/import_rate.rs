//! How fast passages go into Weaviate through the port, compared with a bare loop of gRPC batches of the same vectors.
//!
//! Both write the same passages, in turns, each into a collection of its own that is removed afterwards; the ratio is
//! of the sums of their times. Needs the settings of `scripts/engines env --export`.
//!
//! `cargo run --release -p chat-weaviate --example import_rate -- [PASSAGES] [DIMENSIONS]`
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a command for developers, with settings of its own

#[allow(dead_code)] // what is searched with
#[path = "../src/wire.rs"]
mod wire;

use chat_core::{ChunkId, CollectionId, DocumentId, Tenant, VersionId, ports::Index, ports::Point, text};
use chat_weaviate::{WeaviateIndex, WeaviateOptions};
use std::time::{Duration, Instant};
use tonic::{Request, client::Grpc, codegen::http::uri::PathAndQuery, transport::Endpoint};
use tonic_prost::ProstCodec;
use uuid::Uuid;
use wire::{
    BatchObject, BatchObjectsReply, BatchObjectsRequest, BatchProperties, Struct, Value, ValueKind, Vectors,
};

const MODEL: &str = "bench";
/// How many passages one turn writes.
const TURN: usize = 1_024;
/// How many passages one batch holds, on both sides.
const BATCH: usize = 256;

fn setting(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: eval \"$(scripts/engines env --export)\""))
}

fn options() -> WeaviateOptions {
    WeaviateOptions {
        url: setting("WEAVIATE_URL"),
        grpc_port: setting("WEAVIATE_GRPC_PORT").parse().unwrap(),
        api_key: Some(setting("WEAVIATE_API_KEY")),
        collection: format!("Bench{}", Uuid::new_v4().simple()),
    }
}

/// Passages of 512 tokens or so, half of them Chinese, with vectors of unit length.
fn points(count: usize, dimensions: usize) -> Vec<Point> {
    let (version, document, collection) = (VersionId::new(), DocumentId::new(), CollectionId::new());
    let mut state = 1_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let point = |ordinal: u32| {
        let mut vector: Vec<f32> = (0..dimensions).map(|_| next() as f32 / 2_147_483_648.0 - 0.5).collect();
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        for number in &mut vector {
            *number /= length;
        }
        let words = (0..180).map(|_| {
            let han = char::from_u32(0x4e00 + next() % 3_000).unwrap_or('字');
            format!("{han}word{} ", next() % 20_000)
        });
        let keywords = text::keyword_text(&words.collect::<String>());
        Point { id: ChunkId::of(version, ordinal, MODEL), version, document, collection, keywords, vector }
    };
    (0..count as u32).map(point).collect()
}

/// What anybody would write who needs no port: a channel, and a batch after the other.
struct Bare {
    client: Grpc<tonic::transport::Channel>,
    options: WeaviateOptions,
    /// The collection and the name of its vector, as the port has made them.
    vector: String,
}

impl Bare {
    async fn new() -> Self {
        let options = options();
        assert!(WeaviateIndex::new(&options).unwrap().prepare(MODEL).await.unwrap());
        let host = options.url.split("://").nth(1).unwrap().split([':', '/']).next().unwrap();
        let address = format!("http://{host}:{}", options.grpc_port);
        let channel = Endpoint::from_shared(address).unwrap().tcp_nodelay(true).connect().await.unwrap();
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, MODEL.as_bytes()).simple().to_string();
        let vector = format!("m_{MODEL}_{}", &hash[..8]);
        Self { client: Grpc::new(channel).max_encoding_message_size(64 << 20), options, vector }
    }

    fn object(&self, point: &Point) -> BatchObject {
        let text = |text: String| Value { kind: Some(ValueKind::String(text)) };
        let fields = [
            ("keywords", point.keywords.clone()),
            ("version", point.version.0.to_string()),
            ("document", point.document.0.to_string()),
            ("collection", point.collection.0.to_string()),
            ("model", MODEL.to_owned()),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), text(value))).into();
        let vector_bytes = point.vector.iter().flat_map(|number| number.to_le_bytes()).collect();
        BatchObject {
            uuid: point.id.0.to_string(),
            properties: Some(BatchProperties { non_ref_properties: Some(Struct { fields }) }),
            collection: format!("{}Passage", self.options.collection),
            tenant: "t-bench".into(),
            vectors: vec![Vectors { name: self.vector.clone(), vector_bytes, kind: wire::SINGLE_FP32 }],
        }
    }

    async fn write(&mut self, points: &[Point]) {
        for batch in points.chunks(BATCH) {
            let objects = batch.iter().map(|point| self.object(point)).collect();
            let mut request = Request::new(BatchObjectsRequest { objects });
            let key = format!("Bearer {}", self.options.api_key.as_deref().unwrap());
            request.metadata_mut().insert("authorization", key.parse().unwrap());
            self.client.ready().await.unwrap();
            let path = PathAndQuery::from_static("/weaviate.v1.Weaviate/BatchObjects");
            let codec = ProstCodec::<BatchObjectsRequest, BatchObjectsReply>::default();
            let reply = self.client.unary(request, path, codec).await.unwrap().into_inner();
            assert!(reply.errors.is_empty(), "{:?}", reply.errors);
        }
    }
}

async fn remove(options: &WeaviateOptions) {
    let url = format!("{}/v1/schema/{}Passage", options.url.trim_end_matches('/'), options.collection);
    let client = reqwest::Client::builder().build().unwrap();
    client.delete(url).bearer_auth(options.api_key.as_deref().unwrap()).send().await.unwrap();
}

#[tokio::main]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<usize>().unwrap());
    let (count, dimensions) = (numbers.next().unwrap_or(8_192), numbers.next().unwrap_or(512));
    let points = points(count, dimensions);
    let through_port = options();
    let index = WeaviateIndex::new(&through_port).unwrap();
    index.prepare(MODEL).await.unwrap();
    let mut bare = Bare::new().await;
    let tenant = Tenant::from("bench");
    let (mut port_time, mut bare_time) = (Duration::ZERO, Duration::ZERO);
    for (turn, some) in points.chunks(TURN).enumerate() {
        // Who goes first changes, so that what the engine does afterwards in the background falls on both.
        for first in [turn % 2 == 0, turn % 2 != 0] {
            let begun = Instant::now();
            if first {
                index.upsert(&tenant, MODEL, some.to_vec()).await.unwrap();
                port_time += begun.elapsed();
            } else {
                bare.write(some).await;
                bare_time += begun.elapsed();
            }
        }
    }
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    println!(
        "{count} passages, {dimensions} dimensions: {:.0} a second through the port, {:.0} bare: {:.2}",
        rate(port_time),
        rate(bare_time),
        rate(port_time) / rate(bare_time)
    );
    remove(&through_port).await;
    remove(&bare.options).await;
}
