//! What production refuses.

use crate::{message, refused};

const KEY: (&str, &str) = ("SECRET_KEY", "4f0c9be2d8174a6b93e15d7c20fa86b1");

fn in_production<'a>(settings: &[(&'a str, &'a str)]) -> Vec<String> {
    let mut environment = vec![("APP_ENV", "production"), KEY];
    environment.extend(settings);
    refused(&environment)
}

#[test]
fn a_sound_environment_starts() {
    assert!(in_production(&[]).is_empty());
    assert!(in_production(&[("DATABASE_URL", "postgres://rag:kT9w-horse@db/rag")]).is_empty());
    assert!(
        in_production(&[("DATABASE_URL", "postgres://rag@db/rag"), ("REDIS_URL", "redis://r")]).is_empty()
    );
}

#[test]
fn the_signing_key_must_be_set_and_long() {
    for environment in ["production", "prod", "staging"] {
        assert_eq!(refused(&[("APP_ENV", environment)]), ["SECRET_KEY"], "{environment}");
    }
    for key in [
        "short",
        "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef",
        "your-secret-key-change-me-in-production",
    ] {
        assert_eq!(refused(&[("APP_ENV", "production"), ("SECRET_KEY", key)]), ["SECRET_KEY"], "{key}");
        let text = message(&[("APP_ENV", "production"), ("SECRET_KEY", key)]);
        assert!(!text.contains(key) && text.contains("openssl rand -hex 32"), "{text}");
    }
    let known = chat_config::Settings::load(&[]).unwrap().app.secret_key.expose().to_owned();
    assert_eq!(refused(&[("APP_ENV", "production"), ("SECRET_KEY", &known)]), ["SECRET_KEY"]);
}

#[test]
fn passwords_of_examples_are_refused() {
    assert_eq!(in_production(&[("MINIO_SECRET_KEY", "minioadmin")]), ["MINIO_SECRET_KEY"]);
    assert_eq!(in_production(&[("MINIO_ACCESS_KEY", "minioadmin")]), ["MINIO_ACCESS_KEY"]);
    assert_eq!(in_production(&[("MINIO_SECRET_KEY", "minioadmin123")]), ["MINIO_SECRET_KEY"]);
    assert_eq!(in_production(&[("DATABASE_URL", "postgres://rag:password@db/rag")]), ["DATABASE_URL"]);
    assert_eq!(in_production(&[("DATABASE_URL", "postgres://rag:rag@db/rag")]), ["DATABASE_URL"]);
    assert_eq!(in_production(&[("REDIS_URL", "redis://:change-me@r")]), ["REDIS_URL"]);
}

#[test]
fn debug_is_refused() {
    assert_eq!(in_production(&[("DEBUG", "true")]), ["DEBUG"]);
}

#[test]
fn everything_unsafe_is_said_at_once() {
    let unsafe_settings = [
        ("APP_ENV", "production"),
        ("DEBUG", "true"),
        ("MINIO_SECRET_KEY", "minioadmin"),
        ("DATABASE_URL", "postgres://rag:postgres@db/rag"),
        ("PORT", "x"),
    ];
    assert_eq!(
        refused(&unsafe_settings),
        ["DEBUG", "SECRET_KEY", "PORT", "DATABASE_URL", "MINIO_SECRET_KEY"]
    );
}

#[test]
fn development_lets_all_of_it_pass() {
    for environment in ["development", "test"] {
        let settings = [("APP_ENV", environment), ("DEBUG", "true"), ("MINIO_SECRET_KEY", "minioadmin")];
        assert!(refused(&settings).is_empty(), "{environment}");
    }
}
