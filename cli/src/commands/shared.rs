//! Processes that share their work need stores that can be shared.

use crate::failure::{Failure, Outcome};
use chat_config::{DatabaseUrl, Index, RedisUrl, Settings, Storage};

/// Refuses settings that name a part which lives inside one process.
pub fn check(settings: &Settings, command: &str) -> Outcome<()> {
    let own = [
        ("DATABASE_URL", "postgresql://…", matches!(settings.database.url, DatabaseUrl::Sqlite { .. })),
        ("REDIS_URL", "redis://…", settings.redis.url == RedisUrl::Memory),
        ("STORAGE_PROVIDER", "s3", matches!(settings.storage, Storage::File { .. })),
        ("WEAVIATE_URL", "http://…", matches!(settings.index, Index::Embedded)),
    ];
    let missing: Vec<String> =
        own.iter().filter(|(.., own)| *own).map(|(name, form, _)| format!("{name}={form}")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let what = format!("{command} shares its work with other processes, which needs {}", missing.join(", "));
    Err(Failure::wrong_use(what).hint("for everything in one process: `chat up`"))
}
