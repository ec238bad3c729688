//! `chat migrate`: brings the schema of the database up to date.

use crate::{
    failure::{Exit, Outcome},
    output,
    run::Context,
    server,
};
use chat_adapters::{DataLock, Holder};
use chat_config::{DatabaseUrl, Settings};
use serde_json::json;

/// Brings the schema up to date. Safe to repeat, and to run while servers of the version before still work.
pub async fn run(context: &Context) -> Outcome {
    let settings = &context.settings;
    let database = match &settings.database.url {
        DatabaseUrl::Sqlite { path } => path.display().to_string(),
        DatabaseUrl::Postgres(url) => url.to_string(),
    };
    let (schema, by) = match server::migrate(settings).await? {
        Some(version) => (Some(version), "this command".to_owned()),
        None => (None, by_whom(open_and_close(settings).await?)),
    };
    if context.common.json {
        output::json(&json!({"database": database, "schema": schema, "by": by, "status": "up to date"}));
    } else {
        let version = schema.map(|version| format!(" (version {version})")).unwrap_or_default();
        output::line(format!("{database}: the schema{version} is up to date; {by} looked after it."));
    }
    Ok(Exit::Done)
}

fn by_whom(holder: Option<Holder>) -> String {
    holder.map_or_else(
        || "this command".to_owned(),
        |holder| format!("the server that runs (process {})", holder.pid),
    )
}

/// Opens what is kept in files, which makes what is missing. A server that runs did so when it started: then it is
/// named.
pub async fn open_and_close(settings: &Settings) -> Outcome<Option<Holder>> {
    if let Some(holder) = DataLock::holder(&settings.data_dir).filter(|holder| holder.url.is_some()) {
        return Ok(Some(holder));
    }
    server::open(settings).await?.close().await;
    Ok(None)
}
