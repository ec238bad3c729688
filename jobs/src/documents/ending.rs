//! Whether a version answers or may yet, and the end of one that never will.

use crate::{Done, Ending, JobContext, JobKind, RemoveVersion, failure::document_failure};
use chat_core::{Change, DocumentStatus, ErrorKind, PortResult, Version, VersionId};

/// A version that is still wanted; none if its document was deleted meanwhile, or it answers already.
pub(crate) async fn current(cx: &JobContext, id: VersionId) -> PortResult<Option<Version>> {
    match cx.ports.store.version(id).await {
        Ok(version) if version.deleted || version.live_version == Some(id) => Ok(None),
        Ok(version) => Ok(Some(version)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A version, if it answers.
pub(crate) async fn answering(cx: &JobContext, id: VersionId) -> PortResult<Option<Version>> {
    match cx.ports.store.version(id).await {
        Ok(version) => Ok(Some(version).filter(|it| !it.deleted && it.live_version == Some(id))),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Says why a version failed, or that it was stopped, and has what is left of it removed.
pub(crate) async fn end_version(cx: &JobContext, id: VersionId, ending: &Ending) -> PortResult<Done> {
    let Some(version) = current(cx, id).await? else { return Ok(Done::default()) };
    let (status, error) = match ending {
        Ending::Dead(failure) => (DocumentStatus::Failed, Some(document_failure(failure))),
        Ending::Cancelled => (DocumentStatus::Cancelled, None),
    };
    let mut remove = RemoveVersion { version: id }.job(&version.tenant);
    remove.document = Some(version.document);
    Ok(Done::with(vec![Change::EndVersion { version: id, status, error }, Change::Enqueue(Box::new(remove))]))
}
