//! What is refused, and how it is said.

use chat_config::{Origin, Settings, Source};

use crate::{load, loaded, message, refused};

#[test]
fn every_kind_of_value_is_checked() {
    for (name, value) in [
        ("APP_ENV", "live"),
        ("DEBUG", "maybe"),
        ("SECRET_KEY", "a\nb"),
        ("DATA_DIR", "a\0b"),
        ("HOST", "my-host"),
        ("PORT", "70000"),
        ("PORT", "tcp://10.0.0.7:8000"),
        ("CORS_ORIGINS", "https://a.example/app"),
        ("ALLOWED_HOSTS", "a.example:80"),
        ("MAX_UPLOAD_SIZE", "100 blocks"),
        ("MAX_UPLOAD_SIZE", "0"),
        ("GRACE_PERIOD", "soon"),
        ("DATABASE_URL", "mysql://db/rag"),
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_MAX_OVERFLOW", "-1"),
        ("REDIS_URL", "amqp://mq"),
        ("REDIS_MAX_CONNECTIONS", "1e3"),
        ("REDIS_LANES", "streams"),
        ("STORAGE_PROVIDER", "gs://bucket"),
        ("MINIO_ENDPOINT", "minio:9000/bucket"),
        ("MINIO_SECURE", "perhaps"),
        ("BUCKET_NAME", "Rag_Chat"),
        ("WEAVIATE_URL", "qdrant://q"),
        ("WEAVIATE_GRPC_PORT", "0"),
        ("OPENAI_BASE_URL", "localhost:11434"),
        ("OPENAI_API_KEY", "a\u{7}b"),
        ("LLM_MAX_TOKENS", "0"),
        ("LLM_TEMPERATURE", "2.1"),
        ("LLM_TEMPERATURE", "NaN"),
        ("LLM_TIMEOUT", "2 days"),
        ("LLM_FIRST_TOKEN_TIMEOUT", "0"),
        ("LLM_IDLE_TIMEOUT", "x"),
        ("HISTORY_TOKENS", "all"),
        ("LLM_INPUT_PRICE", "-1"),
        ("EMBEDDING_DIMENSIONS", "1"),
        ("RETRIEVAL_TOP_K", "0"),
        ("CHUNK_TOKENS", "1"),
        ("CHUNK_OVERLAP", "many"),
        ("WORKER_CONCURRENCY", "chta=8"),
        ("WORKER_PROCESSES", "-1"),
        ("WORKER_CONNECTIONS", "0"),
        ("WORKER_TIMEOUT", "0s"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FILTER", "sqlx"),
        ("LOG_FORMAT", "xml"),
        ("LOG_FILE", "logs/"),
        ("LOG_KEEP_DAYS", "0"),
        ("PROMETHEUS_ENABLED", "2"),
        ("PROMETHEUS_PORT", "65536"),
        ("SENTRY_DSN", "key"),
    ] {
        assert_eq!(refused(&[(name, value)]), [name], "{name}={value}");
    }
}

#[test]
fn one_message_lists_them_all_in_the_order_of_the_settings() {
    let sources = [
        Source::new(Origin::CommandLine, [("PORT", "eighty"), ("LLM_MODLE", "x"), ("COLOUR", "x")]),
        Source::new(
            Origin::Environment,
            [("LLM_TEMPERATURE", "hot"), ("DATABASE_URL", "mysql://me:hunter2@db/rag")],
        ),
        Source::env_file("CHUNK_TOKENS='512\nLOG_FORMAT=xml"),
    ];
    let text = Settings::load(&sources).unwrap_err().to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "7 problems in the settings stop the start:");
    assert_eq!(
        lines[1],
        "  - PORT = \"eighty\" (command line) is not such a number; accepted: a port, 0 to 65535; 0 takes any free one"
    );
    assert!(lines[2].starts_with(
        "  - DATABASE_URL = \"mysql://me:********@db/rag\" (env) has the unknown scheme `mysql:`; accepted: `sqlite:`"
    ));
    assert_eq!(
        lines[3],
        "  - LLM_TEMPERATURE = \"hot\" (env) is not such a number; accepted: a number from 0 to 2"
    );
    assert_eq!(lines[4], "  - LOG_FORMAT = \"xml\" (.env) is not a format; accepted: json or pretty");
    assert_eq!(lines[5], "  - .env line 1: CHUNK_TOKENS has no closing '");
    assert_eq!(lines[6], "  - COLOUR: is not a setting (command line)");
    assert_eq!(lines[7], "  - LLM_MODLE: is not a setting (command line); did you mean LLM_MODEL?");
    assert_eq!(lines.len(), 9);
}

#[test]
fn a_message_never_shows_a_secret() {
    let text = message(&[
        ("SECRET_KEY", "hunter2\u{1}"),
        ("DATABASE_URL", "postgres://me:hunter2@db:port/rag"),
        ("REDIS_URL", "hunter2"),
        ("OPENAI_BASE_URL", "hunter2"),
        ("OPENAI_API_KEY", "hunter2\u{1}"),
        ("MINIO_SECRET_KEY", "hunter2\n2"),
        ("SENTRY_DSN", "hunter2"),
        ("WEAVIATE_API_KEY", "hunter2\u{1}"),
        ("WEAVIATE_URL", "hunter2://w"),
    ]);
    assert!(text.starts_with("9 problems"), "{text}");
    assert!(!text.replace("hunter2://w", "").contains("hunter2"), "{text}");
}

#[test]
fn a_message_stays_readable_whatever_the_value() {
    let text = message(&[("LLM_TEMPERATURE", &"很热\n".repeat(10_000))]);
    assert!(text.chars().count() < 500 && text.lines().count() == 3, "{text}");
}

#[test]
fn settings_must_agree_with_each_other() {
    let s3 = [("STORAGE_PROVIDER", "minio")];
    assert_eq!(refused(&s3), ["MINIO_ENDPOINT", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"]);
    assert_eq!(refused(&[("CHUNK_OVERLAP", "512")]), ["CHUNK_OVERLAP"]);
    assert_eq!(refused(&[("LLM_IDLE_TIMEOUT", "10m")]), ["LLM_IDLE_TIMEOUT"]);
    assert_eq!(refused(&[("LLM_FIRST_TOKEN_TIMEOUT", "6m")]), ["LLM_FIRST_TOKEN_TIMEOUT"]);
    assert_eq!(refused(&[("PORT", "8001")]), ["PROMETHEUS_PORT"]);
    assert_eq!(refused(&[("LLM_INPUT_PRICE", "1")]), ["LLM_OUTPUT_PRICE"]);
    assert_eq!(refused(&[("LLM_OUTPUT_PRICE", "1")]), ["LLM_INPUT_PRICE"]);
    assert_eq!(refused(&[("OPENAI_BASE_URL", "openai:")]), ["OPENAI_API_KEY"]);
    let contradiction = [("MINIO_ENDPOINT", "http://minio:9000"), ("MINIO_SECURE", "true")];
    assert_eq!(refused(&contradiction), ["MINIO_SECURE"]);
    let cluster = [("REDIS_URL", "redis-cluster://a:7000"), ("REDIS_LANES", "apalis")];
    assert_eq!(refused(&cluster), ["REDIS_LANES"]);
}

#[test]
fn what_is_refused_causes_no_second_error() {
    assert_eq!(refused(&[("CHUNK_TOKENS", "x"), ("CHUNK_OVERLAP", "600")]), ["CHUNK_TOKENS"]);
    assert_eq!(refused(&[("LLM_TIMEOUT", "x"), ("LLM_IDLE_TIMEOUT", "10m")]), ["LLM_TIMEOUT"]);
    assert_eq!(refused(&[("APP_ENV", "x"), ("DEBUG", "true")]), ["APP_ENV"]);
    assert_eq!(refused(&[("LLM_INPUT_PRICE", "x"), ("LLM_OUTPUT_PRICE", "1")]), ["LLM_INPUT_PRICE"]);
}

#[test]
fn equal_ports_are_fine_where_they_do_not_clash() {
    assert!(load(&[("PORT", "8001"), ("PROMETHEUS_ENABLED", "false")]).is_ok());
    assert!(load(&[("PORT", "0"), ("PROMETHEUS_PORT", "0")]).is_ok());
}

#[test]
fn misspelt_names_are_warned_of_and_others_ignored() {
    let settings =
        loaded(&[("LLM_TEMPRATURE", "0.1"), ("REDIS_PORT", "tcp://10.0.0.7:6379"), ("PATH", "/bin")]);
    assert_eq!(
        settings.warnings(),
        ["LLM_TEMPRATURE (env) is not a setting and is ignored; did you mean LLM_TEMPERATURE?"]
    );
    let file = Settings::load(&[Source::env_file("DATABASE_URI=x\nPOSTGRES_PASSWORD=y")]).unwrap();
    assert_eq!(
        file.warnings(),
        ["DATABASE_URI (.env) is not a setting and is ignored; did you mean DATABASE_URL?"]
    );
}

#[test]
fn what_has_no_effect_is_warned_of() {
    let settings = loaded(&[("LLM_MODEL", "qwen3"), ("EMBEDDING_MODEL", "bge-m3"), ("HOST", "0.0.0.0")]);
    for (warning, part) in settings.warnings().iter().zip(["LLM_MODEL", "EMBEDDING_MODEL", "SECRET_KEY"]) {
        assert!(warning.contains(part), "{warning}");
    }
    assert_eq!(settings.warnings().len(), 3);
    assert!(loaded(&[]).warnings().is_empty());
}
