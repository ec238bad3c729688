//! From settings to what the parts take.

use super::Reach;
use crate::settings::secret_key;
use chat_api::{ApiOptions, Identity};
use chat_config::{AllowedHosts, CorsOrigins, DatabaseUrl, Index, Settings, Storage};
use chat_core::{Lane, text::ChunkOptions};
use chat_worker::WorkerOptions;

/// This machine's own names: no other site can point them anywhere, so they are always answered on loopback.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Options of the work.
pub(super) fn work(settings: &Settings) -> chat_jobs::Options {
    let (llm, retrieval) = (&settings.llm, &settings.retrieval);
    chat_jobs::Options {
        top_k: retrieval.top_k,
        history_tokens: llm.history_tokens as usize,
        max_output_tokens: llm.max_tokens,
        temperature: llm.temperature as f32,
        turn_timeout: llm.timeout,
        first_token_timeout: llm.first_token_timeout,
        idle_timeout: llm.idle_timeout,
        chunk: ChunkOptions {
            max_tokens: retrieval.chunk_tokens as usize,
            overlap_tokens: retrieval.chunk_overlap as usize,
        },
        input_price: llm.prices.map(|prices| prices.input),
        output_price: llm.prices.map(|prices| prices.output),
        embedding_price: settings.embedding.price,
        limits: settings.limits,
        owns_stores: owns_stores(settings),
    }
}

/// One process at a time has the data folder; servers may be shared.
fn owns_stores(settings: &Settings) -> bool {
    matches!(settings.database.url, DatabaseUrl::Sqlite { .. })
        && matches!(settings.storage, Storage::File { .. })
        && matches!(settings.index, Index::Embedded)
}

/// Options of a worker.
pub(super) fn worker(settings: &Settings) -> WorkerOptions {
    let slots = |lane| (lane, settings.worker.concurrency.for_lane(lane) as usize);
    WorkerOptions { lanes: Lane::ALL.map(slots).to_vec(), ..WorkerOptions::default() }
}

/// Options of the HTTP interface.
pub(super) fn api(settings: &Settings, reach: Reach) -> ApiOptions {
    ApiOptions {
        max_upload_bytes: settings.http.max_upload_bytes,
        default_model: settings.llm.model.clone(),
        cors_origins: match &settings.http.cors_origins {
            CorsOrigins::Any => vec!["*".into()],
            CorsOrigins::Only(origins) => origins.clone(),
        },
        allowed_hosts: hosts(settings, reach),
        grace: settings.http.grace_period,
        identity: Identity {
            secret_key: settings.app.secret_key.expose().to_owned(),
            required: secret_key(settings).is_some(),
        },
        presigned_downloads: match &settings.storage {
            Storage::S3(s3) => s3.presigned_downloads,
            Storage::File { .. } => None,
        },
        request_timeout: settings.worker.request_timeout,
        max_connections: settings.worker.max_connections as usize,
        ..ApiOptions::default()
    }
}

fn hosts(settings: &Settings, reach: Reach) -> Option<Vec<String>> {
    let loopback = LOOPBACK.map(str::to_owned).to_vec();
    match (&settings.http.allowed_hosts, reach) {
        (_, Reach::Private | Reach::Nobody) => Some(loopback),
        (AllowedHosts::Any, Reach::Public) => None,
        (AllowedHosts::Only(names), Reach::Public) => {
            // The interface writes "every name below" as `.example.com`.
            let names = names.iter().map(|name| name.trim_start_matches('*').to_owned());
            Some(names.chain(loopback).collect())
        }
    }
}
