//! Opening the stores, and saying clearly why it does not work.

use crate::failure::{Failure, Outcome};
use chat_adapters::{OpenError, Opened};
use chat_config::{DatabaseUrl, Settings};

/// Opens every port of these settings.
pub async fn open(settings: &Settings) -> Outcome<Opened> {
    Box::pin(chat_adapters::open(settings)).await.map_err(|error| open_error(settings, &error))
}

/// Makes what is missing in engines outside this process: for commands that are all of the system themselves.
pub async fn prepare(settings: &Settings) -> Outcome<()> {
    migrate(settings).await?;
    Box::pin(chat_adapters::init(settings)).await.map_err(|error| open_error(settings, &error))
}

/// Brings the schema of the database up to date; its version, if it is outside this process.
pub async fn migrate(settings: &Settings) -> Outcome<Option<i64>> {
    Box::pin(chat_adapters::migrate(settings)).await.map_err(|error| open_error(settings, &error))
}

/// What went wrong, and what to do about it.
fn open_error(settings: &Settings, error: &OpenError) -> Failure {
    if let (OpenError::Part { source, .. }, DatabaseUrl::Postgres(url)) = (error, &settings.database.url)
        && matches!(error, OpenError::Part { part: "the database", .. })
        && source.kind.is_retryable()
    {
        // A wait for a connection has no cause of its own.
        let cause =
            source.source.as_ref().map(ToString::to_string).filter(|cause| !cause.contains("timed out"));
        let cause = cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
        return Failure::new(format!("PostgreSQL does not answer at {url}{cause}")).hint(
            "check that it runs there, and that DATABASE_URL names it (`chat config` shows what counts)",
        );
    }
    let mut what = error.to_string();
    if let OpenError::Part { source, .. } = error {
        let cause = source.source.as_ref().map(ToString::to_string);
        what.extend(cause.filter(|cause| !source.message.contains(cause)).map(|cause| format!(" ({cause})")));
    }
    let failure = Failure::new(what);
    match error {
        OpenError::InUse { .. } => {
            failure.hint("stop that process, or choose another folder with --data DIR")
        }
        OpenError::Folder { .. } => failure.hint("choose another folder with --data DIR"),
        OpenError::Part { .. } => failure,
    }
}
