//! `chat migrate`: opening the store brings its schema up to date.

use crate::{
    failure::{Exit, Outcome},
    output,
    run::Context,
    server,
};
use chat_adapters::{DataLock, Holder};
use chat_config::{DatabaseUrl, Settings};
use serde_json::json;

/// Brings the schema up to date. Safe to repeat.
pub async fn run(context: &Context) -> Outcome {
    let database = database(&context.settings);
    let version = env!("CARGO_PKG_VERSION");
    let by = match open_and_close(&context.settings).await? {
        None => "this command".to_owned(),
        Some(holder) => format!("the server that runs (process {})", holder.pid),
    };
    if context.common.json {
        output::json(&json!({"database": database, "version": version, "by": by, "status": "up to date"}));
    } else {
        output::line(format!(
            "{database}: the schema is that of chat {version}; brought up to date by {by}."
        ));
    }
    Ok(Exit::Done)
}

/// Opens every store, which makes what is missing. A server that runs did so when it started: then it is named.
pub async fn open_and_close(settings: &Settings) -> Outcome<Option<Holder>> {
    if let Some(holder) = DataLock::holder(&settings.data_dir).filter(|holder| holder.url.is_some()) {
        return Ok(Some(holder));
    }
    server::open(settings).await?.close().await;
    Ok(None)
}

fn database(settings: &Settings) -> String {
    match &settings.database.url {
        DatabaseUrl::Sqlite { path } => path.display().to_string(),
        DatabaseUrl::Postgres(_) => "PostgreSQL".to_owned(),
    }
}
