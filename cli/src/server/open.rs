//! Opening the stores, and saying clearly why it does not work.

use crate::failure::{Failure, Outcome};
use chat_adapters::{OpenError, Opened};
use chat_config::Settings;

/// Opens every port of these settings.
pub async fn open(settings: &Settings) -> Outcome<Opened> {
    chat_adapters::open(settings).await.map_err(|error| open_error(&error))
}

/// What went wrong, and what to do about it.
fn open_error(error: &OpenError) -> Failure {
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
        _ => failure,
    }
}
