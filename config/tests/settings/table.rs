//! The table of `chat config`.

use std::collections::BTreeSet;

use crate::loaded;

#[test]
fn every_setting_stands_in_the_table_once_and_in_order() {
    let shown: Vec<_> = loaded(&[]).table().into_iter().map(|row| row.name).collect();
    let example = chat_config::env_example();
    let declared: Vec<_> =
        example.lines().filter_map(|line| line.strip_prefix('#')?.split_once('=')).collect();
    let declared: Vec<_> =
        declared.into_iter().map(|(name, _)| name).filter(|name| !name.contains(' ')).collect();
    assert_eq!(shown, declared);
    assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), shown.len());
}

#[test]
fn operators_find_every_name_that_they_have() {
    let names: BTreeSet<_> = loaded(&[]).table().into_iter().map(|row| row.name).collect();
    let contract = "APP_ENV DEBUG SECRET_KEY DATABASE_URL DATABASE_POOL_SIZE DATABASE_MAX_OVERFLOW REDIS_URL \
        REDIS_MAX_CONNECTIONS STORAGE_PROVIDER MINIO_ENDPOINT MINIO_ACCESS_KEY MINIO_SECRET_KEY MINIO_SECURE \
        BUCKET_NAME OPENAI_API_KEY OPENAI_BASE_URL LLM_MODEL LLM_MAX_TOKENS LLM_TEMPERATURE WEAVIATE_URL \
        WEAVIATE_API_KEY PROMETHEUS_ENABLED PROMETHEUS_PORT SENTRY_DSN LOG_LEVEL LOG_FORMAT LOG_FILE CORS_ORIGINS \
        ALLOWED_HOSTS MAX_UPLOAD_SIZE WORKER_PROCESSES WORKER_CONNECTIONS WORKER_TIMEOUT";
    for name in contract.split_whitespace() {
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn secrets_are_masked_and_the_rest_is_not() {
    let settings = loaded(&[
        ("SECRET_KEY", "hunter2"),
        ("DATABASE_URL", "postgres://me:hunter2@db/rag"),
        ("REDIS_URL", "redis://:hunter2@r"),
        ("STORAGE_PROVIDER", "s3"),
        ("MINIO_ENDPOINT", "minio:9000"),
        ("MINIO_ACCESS_KEY", "hunter2"),
        ("MINIO_SECRET_KEY", "hunter2"),
        ("OPENAI_API_KEY", "hunter2"),
        ("OPENAI_BASE_URL", "http://hunter2@vllm/v1?api_key=hunter2"),
        ("WEAVIATE_URL", "http://w"),
        ("WEAVIATE_API_KEY", "hunter2"),
        ("SENTRY_DSN", "https://hunter2@sentry.example/1"),
    ]);
    let row = |name| settings.table().into_iter().find(|row| row.name == name).unwrap().value;
    assert_eq!(row("SECRET_KEY"), "********");
    assert_eq!(row("DATABASE_URL"), "postgres://me:********@db/rag");
    assert_eq!(row("REDIS_URL"), "redis://:********@r");
    assert_eq!(row("OPENAI_BASE_URL"), "http://********@vllm/v1?api_key=********");
    assert_eq!(row("MINIO_ENDPOINT"), "minio:9000");
    let json = serde_json::to_string(&settings.table()).unwrap();
    assert!(!json.contains("hunter2"), "{json}");
    let debug = format!("{settings:?}");
    assert!(!debug.contains("hunter2"), "{debug}");
}

#[test]
fn the_table_shows_what_unset_settings_amount_to() {
    let row = |environment: &[(&str, &str)], name| {
        loaded(environment).table().into_iter().find(|row| row.name == name).unwrap()
    };
    assert_eq!(row(&[], "OPENAI_BASE_URL").value, "offline:");
    assert_eq!(row(&[("OPENAI_API_KEY", "k")], "OPENAI_BASE_URL").value, "https://api.openai.com/v1");
    assert_eq!(row(&[], "LLM_MODEL").value, "offline");
    assert_eq!(row(&[("DATA_DIR", "/d")], "LOG_FILE").value, "/d/logs/app.log");
    assert_eq!(row(&[], "LOG_FORMAT").value, "pretty");
    assert_eq!(row(&[], "ALLOWED_HOSTS").value, "localhost,127.0.0.1,[::1]");
    assert_eq!(row(&[("LLM_TIMEOUT", "20")], "LLM_IDLE_TIMEOUT").value, "20000ms");
    let as_json = serde_json::to_value(row(&[], "PORT")).unwrap();
    assert_eq!((&as_json["value"], &as_json["origin"]), (&"8000".into(), &"default".into()));
}
