//! Real engines: those of `scripts/engines up`, private ones of a test, and the network in between.

mod ground;
mod links;
mod private;
mod redis;
mod toxiproxy;

pub use ground::Ground;
pub use links::{Cut, Engine, Links};
pub use private::PrivateEngine;
pub use redis::{RedisCluster, RedisSentinel, RedisServer, RedisTls};
pub use toxiproxy::Toxiproxy;

use crate::process::Settings;
use std::path::PathBuf;

/// The settings that name the engines.
const NAMES: [&str; 10] = [
    "DATABASE_URL",
    "REDIS_URL",
    "WEAVIATE_URL",
    "WEAVIATE_API_KEY",
    "WEAVIATE_GRPC_PORT",
    "STORAGE_PROVIDER",
    "MINIO_ENDPOINT",
    "MINIO_ACCESS_KEY",
    "MINIO_SECRET_KEY",
    "S3_REGION",
];

/// Where the engines are: the settings that name them.
#[derive(Clone)]
pub struct Engines(Settings);

impl Engines {
    /// The ones that the environment names, each with `TEST_` before its name. A missing one is a failure: a test that
    /// is skipped tells nothing.
    #[expect(clippy::disallowed_methods, reason = "these are no settings of the program")]
    pub fn named() -> Self {
        let value = |name: &str| {
            std::env::var(format!("TEST_{name}"))
                .unwrap_or_else(|_| panic!("TEST_{name} is missing: run scripts/test, or scripts/engines up"))
        };
        Self(NAMES.iter().map(|name| ((*name).to_owned(), value(name))).collect())
    }

    /// One of the settings.
    pub fn setting(&self, name: &str) -> &str {
        &self.0.iter().find(|(known, _)| known == name).expect("a name of NAMES").1
    }

    /// With a private engine, of these settings, in the place of a common one.
    #[must_use]
    pub fn with(mut self, engine: Settings) -> Self {
        self.0.retain(|(name, _)| engine.iter().all(|(other, _)| other != name));
        self.0.extend(engine);
        self
    }

    /// All settings.
    pub fn settings(&self) -> Settings {
        self.0.clone()
    }
}

/// The script that starts engines.
fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("scripts/engines")
}
