//! What the values become.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use chat_config::{
    AllowedHosts, CorsOrigins, DatabaseUrl, Environment, Index, LogFormat, LogLevel, ModelProvider, Prices,
    RedisUrl, Storage,
};
use chat_core::{Lane, Limits};

use crate::loaded;

#[test]
fn nothing_set_is_one_process_with_embedded_parts() {
    let settings = loaded(&[]);
    let folder = PathBuf::from("./rag-chat-data");
    assert_eq!(settings.data_dir, folder);
    assert_eq!((settings.app.env, settings.app.debug), (Environment::Development, false));
    assert!(settings.app.secret_key.expose().len() >= 32);
    assert_eq!((settings.http.host, settings.http.port), (IpAddr::from([127, 0, 0, 1]), 8000));
    assert_eq!(settings.http.max_upload_bytes, 100_000_000);
    assert_eq!(settings.http.cors_origins, CorsOrigins::Only(vec![]));
    assert!(settings.http.allowed_hosts.allows("127.0.0.1:8000"));
    assert!(!settings.http.allowed_hosts.allows("elsewhere.example"));
    assert_eq!(settings.database.url, DatabaseUrl::Sqlite { path: folder.join("chat.db") });
    assert_eq!(settings.database.max_connections(), 50);
    assert_eq!((settings.redis.url, settings.redis.max_connections), (RedisUrl::Memory, 50));
    assert!(matches!(settings.storage, Storage::File { path } if path == folder.join("files")));
    assert!(matches!(settings.index, Index::Embedded));
    assert_eq!(settings.llm.provider, ModelProvider::Offline);
    assert_eq!((settings.llm.max_tokens, settings.llm.temperature, settings.llm.prices), (2000, 0.7, None));
    assert_eq!((settings.embedding.provider, settings.embedding.dimensions), (ModelProvider::Offline, None));
    let retrieval = &settings.retrieval;
    assert_eq!((retrieval.top_k, retrieval.chunk_tokens, retrieval.chunk_overlap), (6, 512, 64));
    assert_eq!(settings.worker.request_timeout, Duration::from_secs(30));
    assert_eq!((settings.log.level, settings.log.format), (LogLevel::Info, LogFormat::Pretty));
    assert_eq!(settings.log.file, Some(folder.join("logs/app.log")));
    assert_eq!((settings.prometheus.enabled, settings.prometheus.port), (true, 8001));
    assert!(settings.sentry_dsn.is_none());
}

#[test]
fn the_data_folder_moves_everything_in_it() {
    let settings = loaded(&[("DATA_DIR", "/srv/chat")]);
    assert_eq!(settings.database.url, DatabaseUrl::Sqlite { path: "/srv/chat/chat.db".into() });
    assert!(matches!(settings.storage, Storage::File { path } if path == *"/srv/chat/files"));
    assert_eq!(settings.log.file, Some("/srv/chat/logs/app.log".into()));
}

#[test]
fn the_environment_of_an_existing_deployment_works() {
    let settings = loaded(&[
        ("APP_ENV", "production"),
        ("DEBUG", "False"),
        ("SECRET_KEY", "4f0c9be2d8174a6b93e15d7c20fa86b1"),
        ("DATABASE_URL", "postgresql+asyncpg://rag:kT9w-horse@postgres:5432/rag_db"),
        ("REDIS_URL", "redis://redis:6379/0"),
        ("STORAGE_PROVIDER", "minio"),
        ("MINIO_ENDPOINT", "minio:9000"),
        ("MINIO_ACCESS_KEY", "rag"),
        ("MINIO_SECRET_KEY", "battery-staple"),
        ("MINIO_SECURE", "false"),
        ("OPENAI_API_KEY", "sk-1"),
        ("OPENAI_BASE_URL", "http://vllm:8000/v1/"),
        ("LLM_MODEL", "qwen3"),
        ("WEAVIATE_URL", "http://weaviate:8080"),
        ("CORS_ORIGINS", r#"["https://chat.example"]"#),
        ("ALLOWED_HOSTS", r#"["chat.example"]"#),
        ("LOG_LEVEL", "INFO"),
        ("WORKER_PROCESSES", "4"),
        ("WORKER_CONNECTIONS", "1000"),
        ("HOST", "0.0.0.0"),
    ]);
    let DatabaseUrl::Postgres(database) = &settings.database.url else { panic!("PostgreSQL") };
    assert_eq!(database.expose(), "postgresql://rag:kT9w-horse@postgres:5432/rag_db");
    let Storage::S3(s3) = &settings.storage else { panic!("S3") };
    assert_eq!((s3.endpoint.expose(), s3.bucket.as_str()), ("http://minio:9000", "rag-chat-uploads"));
    let ModelProvider::OpenAi { base_url, api_key } = &settings.llm.provider else { panic!("a server") };
    assert_eq!((base_url.expose(), api_key.as_ref().unwrap().expose()), ("http://vllm:8000/v1", "sk-1"));
    assert_eq!((settings.llm.model.as_str(), settings.log.format), ("qwen3", LogFormat::Json));
    assert_eq!(settings.http.allowed_hosts, AllowedHosts::Only(vec!["chat.example".into()]));
    assert_eq!((settings.worker.threads, settings.worker.max_connections), (4, 1000));
    assert!(settings.warnings().is_empty());
}

#[test]
fn a_key_or_an_address_turns_to_real_models() {
    let base_url = |environment: &[(&str, &str)]| match loaded(environment).llm.provider {
        ModelProvider::OpenAi { base_url, .. } => Some(base_url.expose().to_owned()),
        ModelProvider::Offline => None,
    };
    assert_eq!(base_url(&[("OPENAI_API_KEY", "sk-1")]).as_deref(), Some("https://api.openai.com/v1"));
    let ollama = ("OPENAI_BASE_URL", "http://127.0.0.1:11434/v1");
    assert_eq!(base_url(&[ollama]).as_deref(), Some("http://127.0.0.1:11434/v1"));
    assert_eq!(base_url(&[("OPENAI_API_KEY", "sk-1"), ("OPENAI_BASE_URL", "offline:")]), None);
    let mixed = loaded(&[ollama, ("EMBEDDING_MODEL", "offline")]);
    assert_eq!(mixed.embedding.provider, ModelProvider::Offline);
    assert_ne!(mixed.llm.provider, ModelProvider::Offline);
}

#[test]
fn empty_means_not_set() {
    let settings = loaded(&[("PORT", ""), ("OPENAI_API_KEY", "  "), ("DATABASE_URL", "")]);
    assert_eq!((settings.http.port, settings.llm.provider), (8000, ModelProvider::Offline));
}

#[test]
fn defaults_follow_what_is_chosen() {
    let short = loaded(&[("LLM_TIMEOUT", "20s")]).llm;
    assert_eq!((short.first_token_timeout, short.idle_timeout), (short.timeout, short.timeout));
    assert_eq!(loaded(&[("CHUNK_TOKENS", "128")]).retrieval.chunk_overlap, 16);
    assert_eq!(loaded(&[("DEBUG", "1")]).log.level, LogLevel::Debug);
    assert_eq!(loaded(&[("DEBUG", "1"), ("LOG_LEVEL", "error")]).log.level, LogLevel::Error);
    assert_eq!(loaded(&[("HOST", "0.0.0.0")]).http.allowed_hosts, AllowedHosts::Any);
    assert_eq!(loaded(&[("LOG_FILE", "off")]).log.file, None);
}

#[test]
fn prices_and_lanes_are_numbers() {
    let settings = loaded(&[
        ("LLM_INPUT_PRICE", "0.15"),
        ("LLM_OUTPUT_PRICE", "0.6"),
        ("EMBEDDING_PRICE", "0.02"),
        ("WORKER_CONCURRENCY", "8,chat=1000"),
    ]);
    assert_eq!(settings.llm.prices, Some(Prices { input: 0.15, output: 0.6 }));
    assert_eq!(settings.embedding.price, Some(0.02));
    let concurrency = &settings.worker.concurrency;
    assert_eq!((concurrency.for_lane(Lane::Chat), concurrency.for_lane(Lane::Ingest)), (1000, 8));
}

#[test]
fn limits_are_off_until_they_are_set() {
    assert_eq!(loaded(&[]).limits, Limits::default());
    let settings = loaded(&[
        ("RATE_LIMIT_KEY_REQUESTS", "60"),
        ("RATE_LIMIT_TENANT_REQUESTS", "600"),
        ("RATE_LIMIT_KEY_TOKENS", "0"),
        ("RATE_LIMIT_TENANT_TOKENS", "2000000"),
    ]);
    let wanted = Limits { key_requests: 60, tenant_requests: 600, key_tokens: 0, tenant_tokens: 2_000_000 };
    assert_eq!(settings.limits, wanted);
    assert!(settings.warnings().is_empty());
    let odd = loaded(&[("RATE_LIMIT_KEY_TOKENS", "10"), ("RATE_LIMIT_TENANT_TOKENS", "5")]);
    assert!(odd.warnings()[0].contains("RATE_LIMIT_KEY_TOKENS"), "{:?}", odd.warnings());
}

#[test]
fn downloads_go_through_the_interface_until_somebody_says_otherwise() {
    let s3 = [
        ("STORAGE_PROVIDER", "s3"),
        ("MINIO_ENDPOINT", "minio:9000"),
        ("MINIO_ACCESS_KEY", "rag"),
        ("MINIO_SECRET_KEY", "battery-staple"),
    ];
    let Storage::S3(plain) = loaded(&s3).storage else { panic!("S3") };
    assert_eq!((plain.presigned_downloads, plain.public_endpoint), (None, None));
    let more = [("S3_PRESIGNED_DOWNLOADS", "5m"), ("S3_PUBLIC_ENDPOINT", "https://files.example")];
    let settings = loaded(&[&s3[..], &more[..]].concat());
    let Storage::S3(signed) = settings.storage else { panic!("S3") };
    assert_eq!(signed.presigned_downloads, Some(Duration::from_mins(5)));
    assert_eq!(signed.public_endpoint.unwrap().expose(), "https://files.example");
    let useless = loaded(&[("S3_PRESIGNED_DOWNLOADS", "5m")]);
    assert!(useless.warnings()[0].contains("S3_PRESIGNED_DOWNLOADS"), "{:?}", useless.warnings());
}

#[test]
fn few_connections_to_redis_are_remarked() {
    let few = loaded(&[("REDIS_URL", "redis://r"), ("REDIS_MAX_CONNECTIONS", "3")]);
    assert!(few.warnings()[0].contains("REDIS_MAX_CONNECTIONS is 3"), "{:?}", few.warnings());
    assert!(loaded(&[("REDIS_URL", "redis://r")]).warnings().is_empty());
}
